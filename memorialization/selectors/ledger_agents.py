"""Agents by id or name. There is no table of them: the index on their ids is stepped through from one to the next."""

from django.db import connection

from memorialization.models import Interaction

AGENTS_LOOKED_THROUGH = 5_000
AGENTS_FOUND = 20  # more than that is no search for somebody
SHORTEST_NAME = 3  # characters; fewer are in nearly every name
TABLE = Interaction._meta.db_table

# Each step is one look-up in the index, however many interactions an agent has; so is the newest interaction of each.
DISTINCT_AGENTS = f"""
WITH RECURSIVE stepped(agent_id, steps) AS (
  SELECT (SELECT agent_id FROM {TABLE} WHERE agent_id > '' ORDER BY agent_id LIMIT 1), 1
  UNION ALL
  SELECT (SELECT agent_id FROM {TABLE} WHERE agent_id > stepped.agent_id ORDER BY agent_id LIMIT 1), stepped.steps + 1
  FROM stepped WHERE stepped.agent_id IS NOT NULL AND stepped.steps < %(most)s
)
SELECT agent_id, (SELECT id FROM {TABLE} newest WHERE newest.agent_id = stepped.agent_id ORDER BY id DESC LIMIT 1)
FROM stepped WHERE agent_id IS NOT NULL
"""  # noqa: S608 - the table of our own model


def find_agents(text: str) -> tuple[str, ...]:
    """Agent IDs that begin with the text, or whose agent's newest name has it in it; none when there are too many."""
    newest = _newest_interactions()
    found = [agent_id for agent_id in newest if agent_id.startswith(text)]
    if not found and len(text) >= SHORTEST_NAME:
        rows = Interaction.objects.filter(pk__in=list(newest.values()), search_text__contains=text.lower())
        named = rows.order_by("agent_id").values_list("agent_id", "values__agentName__value")
        found = [agent_id for agent_id, name in named if text.lower() in str(name or "").lower()]
    return tuple(found) if len(found) <= AGENTS_FOUND else ()


def _newest_interactions() -> dict[str, int]:
    """The newest interaction of each agent."""
    with connection.cursor() as cursor:
        cursor.execute(DISTINCT_AGENTS, {"most": AGENTS_LOOKED_THROUGH})
        return dict(cursor.fetchall())
