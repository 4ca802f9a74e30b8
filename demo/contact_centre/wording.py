"""What is said and noted, in French and English: disposition notes and transcripts."""

import random

NOTES_FR = (
    "La cliente veut être rappelée lundi matin.",
    "Crédit de 25 $ appliqué, visible sur la prochaine facture.",
    "Redémarrage du modem effectué, la ligne est stable.",
    "Adresse mise à jour : 4520, rue Saint-Denis, Montréal.",
    "Rendez-vous pris avec le technicien, entre 13 h et 17 h.",
)
NOTES_EN = (
    "Wants a callback on Monday morning.",
    "Refund of $49.99 approved, five business days.",
    "Walked through the router set-up; all lights are green.",
    "Moved to the business plan from the first of the month.",
    "Outage in the area, ticket stays open until the technician confirms.",
)
QUESTIONS_FR = (
    "Bonjour, ma facture a doublé ce mois-ci. Pouvez-vous vérifier ?",
    "Je n’arrive plus à me connecter au portail depuis hier soir.",
    "Ma commande devait arriver jeudi et je n’ai aucune nouvelle.",
)
QUESTIONS_EN = (
    "Hi, my connection drops every evening around eight.",
    "I returned the router two weeks ago and still wait for my refund.",
    "What do calls cost when I travel to Portugal next month?",
)
ANSWERS_FR = (
    "Un instant, je regarde votre dossier.",
    "Je vois le problème : deux forfaits étaient actifs en même temps.",
    "C’est corrigé. Vous recevrez une confirmation par courriel.",
)
ANSWERS_EN = (
    "One moment, I am looking at your account.",
    "I can see it: two plans were active at the same time.",
    "That is fixed. You will get a confirmation by e-mail.",
)
THANKS = {True: "Merci beaucoup, bonne journée !", False: "Great, thank you very much! 🙏"}


def choose_note(chance: random.Random, *, is_french: bool) -> str:
    """What the agent typed into the Outcomes panel."""
    return chance.choice(NOTES_FR if is_french else NOTES_EN)


def write_transcript(chance: random.Random, *, customer: str, agent: str, is_french: bool, rounds: int = 1) -> str:
    """A conversation as plain text, one line a message; `rounds` makes it longer."""
    questions, answers = (QUESTIONS_FR, ANSWERS_FR) if is_french else (QUESTIONS_EN, ANSWERS_EN)
    lines = [f"{customer}: {chance.choice(questions)}"]
    for number in range(rounds):
        lines += [f"{agent}: {answer}" for answer in answers]
        lines.append(f"{customer}: {THANKS[is_french] if number == rounds - 1 else chance.choice(questions)}")
    return "\n".join(lines)
