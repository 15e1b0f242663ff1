"""What was settled by solving, and which answer met a clock."""


from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0003_webchat"),
    ]

    operations = [
        migrations.AddField(
            model_name="slaclock",
            name="met_by",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="ticket",
            name="settled_at",
            field=models.DateTimeField(null=True),
        ),
    ]
