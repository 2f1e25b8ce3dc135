"""``lethe judge``: a verdict on a model that somebody else has unlearned."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ClassOptions, Json, SampleOptions, SubjectOptions, complete_request, names_typed
from flows.cli.output import Output
from flows.cli.wrong_usage import request_id_typed

if TYPE_CHECKING:
    from flows.judge import CertifiedJudgement
    from tasks.lifecycle.candidates import Handed


def command(
    candidate: Annotated[
        Path, typer.Argument(metavar="CANDIDATE", help="The unlearned model: a safetensors file.")
    ],
    request_id: Annotated[
        str,
        typer.Option(
            "--request",
            metavar="REQUEST",
            help="What it should have forgotten: the request's id.",
            autocompletion=complete_request,
            callback=request_id_typed,
        ),
    ],
    classes: ClassOptions = None,
    samples: SampleOptions = None,
    subjects: SubjectOptions = None,
    *,
    architecture: Annotated[
        str | None,
        typer.Option(help="Its net, if not that of the model before; the code of a net of yours is run."),
    ] = None,
    part: Annotated[
        str | None, typer.Option(help="Which net in the file, if it holds several: e.g. `ema`.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="Who handed it in. It stays here: the certificate has a digest of it."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Judge a model that Lethe did not make, and sign what was found.

    The model before is the project's parent and the data are the project's: `lethe judge theirs.safetensors
    --request r-17`. A request that is not in `requests/` is named as for `lethe delete`, e.g. with
    `--class 3`. The candidate is measured and judged exactly as `lethe delete` judges its own, beside
    retrained models as the policy asks; those that are missing are trained. Only weights are read, never a
    pickle and never code. Nothing is registered, promoted or served.

    The certificate says *judged, not made*: method, cost, coverage and what the model was trained on are not
    known. Nobody but its maker knows whether the images that judged it were held out from it. Exit status: 0
    everything that was judged is shown, 5 it fails the gate, 8 inconclusive, 2 it could not be judged.
    """
    from flows.cli.lethe_verify import ENDINGS
    from tasks.lifecycle.candidates import Handed

    named = names_typed(classes, samples, subjects)
    judged = _judged(Handed(candidate, architecture, part), request_id, by=by, **named)
    Output(json).give(as_told(judged), lambda: tell_judged(judged))
    sys.exit(ENDINGS[judged.certificate.ending])


def _judged(
    handed: "Handed", request_id: str, *, by: str | None, **named: tuple[str, ...]
) -> "CertifiedJudgement":
    """Refuse what cannot be judged before anything heavy is loaded, and judge the rest."""
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.log import about
    from tasks.checkout.progress import signs_of_life
    from tasks.keys.signing import require_keys
    from tasks.lifecycle.candidates import require_candidate, require_line
    from tasks.requests.request_file import check_request, typed_request
    from tasks.requests.typed import told_as_typed

    with (
        about(request_id),
        Checkout.open(Path.cwd()) as checkout,
        signs_of_life(f"judge for {request_id}"),
        told_as_typed(**named),
    ):
        require_line(by)
        require_candidate(checkout, handed)
        request = typed_request(checkout, request_id, **named)
        check_request(checkout, request)
        require_keys()
        from flows.judge import judge_candidate

        return judge_candidate(checkout, request, handed, by=by)


def as_told(judged: "CertifiedJudgement") -> dict[str, object]:
    """Return a judgement as a JSON value."""
    certificate = judged.certificate
    verdict = certificate.judgement.verdict
    return {
        "request": certificate.request.id,
        "kind": certificate.kind,
        "ending": certificate.ending,
        "shown": certificate.in_words,
        "candidate": certificate.models.candidate,
        "original": certificate.models.original,
        "verdict": verdict.model_dump(mode="json"),
        "earlier": [one.model_dump(mode="json") for one in certificate.earlier],
        "certificate": str(judged.path),
        "report": str(judged.report),
    }


def tell_judged(judged: "CertifiedJudgement") -> str:
    """Return a judgement for a person: what was found, why, and what is not known."""
    certificate = judged.certificate
    verdict = certificate.judgement.verdict
    lines = [
        f"request      {certificate.request.id}: {certificate.ending}, evidence level {verdict.level}",
        f"verdict      {certificate.in_words}",
        *(
            f"{name:<12} {claim.verdict.replace('_', '-')}. {claim.reason}"
            for name, claim in verdict.claims.items()
        ),
        *(f"earlier      {one.request}: {one.in_words}" for one in certificate.earlier),
        "not known    who made it how, what that cost, and whether the images that judged it were held out",
        f"candidate    {certificate.models.candidate}",
        f"certificate  {judged.path}",
        f"report       {judged.report}",
        f"kept         only here: git does not hold evidence/. Copy {judged.path.parent} to another place",
        "",
        f"check it     lethe-verify {judged.path} --model FILE",
    ]
    return "\n".join(lines)
