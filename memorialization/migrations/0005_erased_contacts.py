from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("memorialization", "0004_record_matching"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="erased_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="erased at"),
        ),
    ]
