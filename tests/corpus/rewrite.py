"""`python -m tests.corpus.rewrite`: write down what parse makes of every golden mail now; review the diff."""

from tests.corpus import mails

if __name__ == "__main__":
    for name in mails.names():
        if mails.write(name):
            print(f"rewritten: {name}")
