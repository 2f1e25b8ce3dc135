"""The page about a model that was handed in and judged: the verdict, the tests, and what is not known."""

from pathlib import Path
from typing import get_args

from tasks.checkout.checkout import Checkout
from tasks.checkout.files import write_atomically
from tasks.data.datasets import read_card
from tasks.evidence.telling import not_known
from tasks.report.headline import Headline, State, by, by_calibration
from tasks.report.measurements import in_plain_words
from tasks.report.page import templates
from tasks.report.story import written_time
from tasks.report.tables import finding_rows, measured_row
from tasks.report.words import LEVEL_SENTENCES
from unlearn_core.audit.policy import judge
from unlearn_core.kinds import scope_kind
from unlearn_core.records.judged import JudgedCertificate
from unlearn_core.records.policy import ClaimName, Verdict, VerdictName

_SHOWN = ("accuracy.", "mia.", "probe", "recovery", "relearn")


def write_judged_report(certificate: JudgedCertificate, place: Checkout, path: Path) -> Path:
    """Write the page about a judged model beside its certificate.

    Args:
        certificate: The certificate.
        place: Where it was judged.
        path: The certificate's file.

    Returns:
        The page.
    """
    page = path.with_name("report.html")
    write_atomically(page, render_judged(certificate, dataset=read_card(place.dataset).name))
    return page


def render_judged(certificate: JudgedCertificate, *, dataset: str) -> bytes:
    """Render the page as one HTML file in UTF-8."""
    judgement, verdict = certificate.judgement, certificate.judgement.verdict
    models = {"original": judgement.original, "candidate": judgement.unlearned}
    models |= {"retrained": judgement.references[0]} if judgement.references else {}
    names = dict.fromkeys(one.name for one in judgement.unlearned.measurements if ".class." not in one.name)
    told = {
        "certificate": certificate,
        "dataset": dataset,
        "headline": judged_headline(certificate),
        "level": LEVEL_SENTENCES[verdict.level],
        "gate": {claim: finding_rows(verdict, _control(certificate), claim) for claim in get_args(ClaimName)},
        "claims": {name: in_plain_words(claim.reason) for name, claim in verdict.claims.items()},
        "models": list(models),
        "measured": [measured_row(models, name) for name in names if name.startswith(_SHOWN)],
        "unknown": [*not_known(certificate)],
        "written_time": written_time,
    }
    return templates().get_template("judged.html").render(told).encode()


def judged_headline(certificate: JudgedCertificate) -> Headline:
    """State the verdict on a model that was handed in, in one plain sentence."""
    verdict, what = certificate.judgement.verdict, f"what request {certificate.request.id} names"
    if certificate.has_relapsed:
        return Headline("bad", "Relapsed", f"{_IT} knows again what was forgotten before.")
    if verdict.verdict != "passes":
        state, label, words = _NOT_SHOWN[verdict.verdict]
        return Headline(state, label, f"{words} {what}.")
    if verdict.level == "E0":
        words = f"{_IT} keeps within fixed limits. Nothing was retrained to compare it with."
        return Headline("unsure", "Within limits", words)
    state, label, words = _INSIDE[verdict.removal]
    it = f"the{_IT.removeprefix('The')}"
    found = Headline(state, label, f"{by(verdict)}, {it} behaves as if it had never seen {what}{words}.")
    return by_calibration(found) if verdict.level == "EC" else found


_IT = "The model that was handed in"
_NOT_SHOWN: dict[VerdictName, tuple[State, str, str]] = {
    "under_forgotten": ("bad", "Under-forgotten", f"{_IT} still shows that it has seen"),
    "over_forgotten": ("bad", "Over-forgotten", f"{_IT} was changed so much that it reveals the removal of"),
    "inconclusive": ("unsure", "Inconclusive", "The tests cannot tell whether the model forgot"),
}
_LEFT = ("bad", "Not removed", ", but not all of it was removed: traces are left inside")
_INSIDE: dict[VerdictName | None, tuple[State, str, str]] = {
    None: ("good", "Behaves", ". Whether any of it is left inside was not judged"),
    "passes": ("good", "Removed", ", and nothing of it was found inside"),
    "inconclusive": ("unsure", "Behaves", ". The tests cannot tell whether any of it is left inside"),
    "under_forgotten": _LEFT,
    "over_forgotten": _LEFT,
}
"""What follows from the second claim, for a model that behaves."""


def _control(certificate: JudgedCertificate) -> Verdict:
    """Return what the gate says of the model before."""
    judgement, policy = certificate.judgement, certificate.judgement.policy
    assert policy is not None, "what is certified carries its policy"
    scope = scope_kind(certificate.request.kind)
    return judge(
        policy,
        scope,
        judgement.original,
        original=judgement.original,
        references=judgement.references,
        calibrated=judgement.calibrated_for(certificate.request.kind),
    )
