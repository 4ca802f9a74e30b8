"""The one page: what is running, a switch for the stream, every scenario as a button, the log, other configurations."""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, g, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response

from demo.contact_centre.cards import Card, ask_card
from demo.contact_centre.centre import RATE_LIMIT, Centre, NoTarget
from demo.contact_centre.control import NO_TARGET_WORDS, centre
from demo.contact_centre.scenarios import SCENARIOS, UnknownScenario
from demo.contact_centre.story import WORKFLOWS
from demo.contact_centre.targets import FILE_TARGET_ID, TargetRefused, read_target

CHANNELS = (("voice", "Calls"), ("digital", "Chats, e-mails and messages"))
CARD_LANGUAGES = ("en", "fr")
TARGET_FIELDS = ("name", "events_url", "intake_key", "desk_url")

blueprint = Blueprint("pages", __name__)


@blueprint.app_errorhandler(404)
def show_not_found(_error: Any) -> Any:
    """A page, unless the control API was asked."""
    if request.path.startswith("/_control/"):
        return jsonify({"error": "not found"}), 404
    return render_template("contact_centre/not_found.html"), 404


@blueprint.get("/")
def show_front() -> str:
    """The page."""
    return render_page(problem="")


def render_page(*, problem: str) -> str:
    """The page as it stands; `problem` is what was wrong with a form."""
    running = centre()
    scenarios = [(title, [each for each in SCENARIOS.values() if each.channel == key]) for key, title in CHANNELS]
    return render_template(
        "contact_centre/front.html",
        version=version_of(running),
        centre=running,
        rate_limit=int(RATE_LIMIT),
        file_target_id=FILE_TARGET_ID,
        waiting=running.storage.count_waiting(),
        groups=scenarios,
        plays=[describe(running, play) for play in running.log()],
        played=find_played(running),
        problem=problem,
        typed=request.form,
    )


def find_played(running: Centre) -> dict[str, Any] | None:
    """The play that a button has just made; None on any other visit, or when it is not kept any more."""
    play = running.storage.find_play(request.args.get("played", 0, int))
    return describe(running, play) if play else None


@blueprint.get("/pulse")
def show_pulse() -> Any:
    """A number that changes whenever the page does."""
    return jsonify({"version": version_of(centre())})


def version_of(running: Centre) -> str:
    """The state a page shows."""
    return f"{id(running):x}-{running.storage.version}"


@blueprint.get("/plays/<int:play_id>")
def show_play(play_id: int) -> Any:
    """One interaction: what was sent, and beside it the customer card that the agent sees."""
    running = centre()
    play = running.storage.find_play(play_id)
    target = running.find_target(play["target_id"]) if play else None
    if play is None:
        abort(404)
    contact_id = play["contact_ids"][-1]
    card = Card(problem="no target")
    if target:
        card = ask_card(target=target, contact_id=contact_id, language=language_of_card(), now=running.now())
    g.framed_origin = card.origin
    return render_template("contact_centre/play.html", play=describe(running, play), card=card, contact_id=contact_id)


def language_of_card() -> str:
    """The agent is whoever looks: the language that their browser asks for first and the card speaks."""
    wanted = (code.partition("-")[0] for code in request.accept_languages.values())
    return next((code for code in wanted if code in CARD_LANGUAGES), CARD_LANGUAGES[0])


@blueprint.post("/play")
def play() -> Any:
    """One of the buttons."""
    ticket_id = request.form.get("ticket_id", "").strip() or None
    try:
        told = centre().play(request.form.get("scenario", ""), ticket_id=ticket_id)
    except NoTarget:
        return render_page(problem=NO_TARGET_WORDS), 409
    except UnknownScenario:
        return render_page(problem="There is no such scenario."), 404
    return redirect(f"/?played={told.id}#log", 303)


@blueprint.post("/rate")
def change_rate() -> Any:
    """The switch for the stream."""
    try:
        centre().set_rate(float(request.form.get("rate", "").replace(",", ".")))
    except ValueError:
        return render_page(problem=f"The rate is a number from 0 to {RATE_LIMIT:g} interactions per minute."), 422
    return back("stream")


@blueprint.post("/targets")
def add_target() -> Any:
    """Another configuration by address and key."""
    try:
        target = read_target(**{name: request.form.get(name, "") for name in TARGET_FIELDS})
    except TargetRefused as refusal:
        return render_page(problem=str(refusal)), 422
    centre().add_target(target)
    return back("targets")


@blueprint.post("/targets/<int:target_id>/<any(choose, remove):act>")
def change_target(target_id: int, act: str) -> Any:
    """Play against a configuration, or forget it."""
    if act == "remove":
        centre().storage.remove_target(target_id)
        return back("targets")
    try:
        centre().choose_target(target_id)
    except NoTarget:
        return render_page(problem="This configuration is not there any more."), 404
    return back("targets")


def back(place: str) -> Response:
    """To the page after a form."""
    return redirect(f"/#{place}", 303)


def describe(running: Centre, play: dict[str, Any]) -> dict[str, Any]:
    """A played interaction as the log shows it."""
    target = running.find_target(play["target_id"])
    scenario = SCENARIOS.get(play["scenario"])
    links = [(contact_id, target.ledger_url(contact_id) if target else "") for contact_id in play["contact_ids"]]
    return play | {
        "at": datetime.fromtimestamp(play["played_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "title": scenario.title if scenario else play["scenario"],
        "target": target.name if target else "a configuration that was removed",
        "contacts": links,
        "calls": [describe_call(send) for send in play["sends"]],
    }


def describe_call(send: dict[str, Any]) -> dict[str, Any]:
    """One call and what the product said to it."""
    body, answer, workflow = send["body"], send["answer"], send["path"].partition(f"{WORKFLOWS}/")[2]
    if workflow:
        what = workflow.replace("-", " ")
    elif isinstance(body, list):
        what = f"{len(body)} events at once"
    else:
        what = body.get("type", "").partition(".")[2] or f"link {body.get('entityType', '')}"
    return {"what": what.replace("_", " "), "tone": tone_of(send), "answer": words_of(send["state"], answer)}


def tone_of(send: dict[str, Any]) -> str:
    """How the call is coloured: waiting, taken, partly refused, or refused."""
    if send["state"] == "done" and send["answer"].get("rejected"):
        return "refused"
    return str(send["state"])


def words_of(state: str, answer: dict[str, Any]) -> str:
    """The answer in a few words."""
    if state == "waiting":
        said = answer.get("problem") or (f"answered {answer['status']}" if answer.get("status") else "")
        return f"waiting, {said}" if said else "waiting"
    if "found" in answer:
        return "created" if answer.get("created") else f"{answer['found']} found"
    counts = {name: len(answer.get(name, [])) for name in ("accepted", "duplicates", "rejected")}
    parts = [f"{count} {name}" if count > 1 else name.removesuffix("s") for name, count in counts.items() if count]
    return ", ".join(parts) or f"{answer.get('status', '')} {answer.get('problem', '')}".strip()
