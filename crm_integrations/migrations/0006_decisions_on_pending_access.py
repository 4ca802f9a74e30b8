from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm_integrations", "0005_state_before_deletion"),
    ]

    operations = [
        migrations.AddField(
            model_name="authorizationrequest",
            name="decided_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="decided at"),
        ),
    ]
