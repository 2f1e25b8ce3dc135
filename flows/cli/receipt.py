"""``lethe receipt``: what a person gets to see that their records were in, and are out."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json, Names, RequestArgument
from flows.cli.output import Output


def command(
    request_id: RequestArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the receipt goes.")],
    samples: Annotated[Names, typer.Option("--sample", help="About this sample. Repeatable.")] = None,
    subjects: Annotated[Names, typer.Option("--subject", help="About this person. Repeatable.")] = None,
    json: Json = False,
) -> None:
    """Write a receipt for one person: records of theirs were trained on before, and are not after.

    The person checks it with `lethe-verify CERT --receipt FILE`, offline. It holds the ids of the person's
    own records and nothing of anybody else's. Without `--sample` or `--subject` it is about what the request
    names, if that is one person. It says that the records are gone from the training data that the
    certificate is about, and nothing of other copies.
    """
    from tasks.checkout.checkout import Checkout
    from tasks.checkout.files import write_atomically
    from tasks.evidence.receipts import make_receipt
    from tasks.requests.typed import told_as_typed
    from unlearn_core.audit.receipts import write_receipt

    checkout = Checkout.find(Path.cwd())
    named = {"samples": tuple(samples or ()), "subjects": tuple(subjects or ())}
    with told_as_typed(**named):
        made = make_receipt(checkout, request_id, **named)
    write_atomically(output, write_receipt(made))
    certificate = checkout.certificate(request_id)
    told = (
        f"receipt      {output}: {len(made.rows)} record(s), in before and out after\n"
        f"check        lethe-verify {certificate} --receipt {output}"
    )
    value = {"receipt": str(output), "records": len(made.rows), "certificate": str(certificate)}
    Output(json).give(value, lambda: told)
