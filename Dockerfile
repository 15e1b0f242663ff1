# One image for every role: `docker run IMAGE web`, `worker`, `clock`, `beat`, `mail` or any other manage.py command.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --uid 10001 --create-home desk && install -d -o desk -g desk -m 0700 /data
WORKDIR /srv/helpdesk

COPY requirements.txt .
RUN pip install -r requirements.txt

COPY . .
# The folder says that files are collected: names then carry a hash and are cached for ever.
RUN mkdir staticfiles \
    && export HELPDESK_VAR_DIR=/tmp/build DATABASE_URL=postgresql://build@build/build VALKEY_URL=redis://build \
    && python manage.py messages --compile \
    && python manage.py collectstatic --no-input --verbosity 0 \
    && rm -rf /tmp/build && python -m compileall -q .

USER desk
ENV HELPDESK_VAR_DIR=/data HOST=0.0.0.0 DEMO=0
VOLUME /data
EXPOSE 8000 2525
ENTRYPOINT ["python", "manage.py"]
CMD ["web"]
