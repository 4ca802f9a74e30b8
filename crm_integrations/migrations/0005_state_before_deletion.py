from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm_integrations", "0004_own_ids_of_creations"),
    ]

    operations = [
        migrations.AddField(
            model_name="configuration",
            name="state_before_deletion",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=20, verbose_name="state before the deletion"
            ),
        ),
    ]
