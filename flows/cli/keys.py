"""``lethe keys``: the signing key and the pseudonym key."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import Json
from flows.cli.output import Output

app = typer.Typer(
    help="Signing key, pseudonym key, and the keys of others that are trusted.", no_args_is_help=True
)


@app.command(name="init")
def init(
    force: Annotated[
        bool, typer.Option("--force", help="Replace the signing key; the old one stays trusted.")
    ] = False,
    json: Json = False,
) -> None:
    """Make the signing key and the pseudonym key, readable only by you, and trust the public key."""
    from tasks.keys.signing import home, init_keys

    folder, made = home(), init_keys(home(), force=force)
    told = "\n".join(f"made {path}" for path in made)
    Output(json).give(
        {"home": str(folder), "made": [str(path) for path in made]},
        lambda: told or f"all keys are already in {folder}; nothing was made",
    )


@app.command(name="list")
def list_keys(json: Json = False) -> None:
    """List the keys whose certificates are trusted here, each checked: its id, its file, and whose it is."""
    from tasks.keys.trust import list_trusted, trust_folder

    found = list_trusted()
    told = "\n".join(f"{one.id}  {'own  ' if one.own else 'other'}  {one.file}" for one in found)
    values = [{"id": one.id, "file": str(one.file), "own": one.own} for one in found]
    Output(json).give(values, lambda: told or f"no key is trusted: {trust_folder()} holds none")


@app.command()
def trust(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The issuer's public key, as PEM.")],
    witness: Annotated[bool, typer.Option("--witness", help="Trust it as a witness's key.")] = False,
    json: Json = False,
) -> None:
    """Trust certificates that an issuer signs: check the public key, and copy it into the trust folder.

    Refused is what is no Ed25519 key, a key that anybody could sign with, and a file that others may change.
    Compare the id with the one that the issuer tells you by another way than that of the file. With
    `--witness`, the key's owner countersigns certificates and issues none.
    """
    from tasks.keys.trust import trust_key

    identity, place = trust_key(file, witness=witness)
    told = f"trusted      {identity}\nkept         {place}"
    Output(json).give({"id": identity, "file": str(place)}, lambda: told)


@app.command()
def export(
    release: Annotated[
        bool, typer.Option("--release", help="The key that released models are signed with (`model.sig`).")
    ] = False,
    json: Json = False,
) -> None:
    """Print the public half of the signing key, as PEM, for those who verify what is signed here.

    With `--release`, print that of the key for `model_signing verify key`, an elliptic curve's, which follows
    from the signing key.
    """
    from tasks.keys.folder import public_pem
    from tasks.keys.releasing import release_key, release_pem
    from tasks.keys.signing import key_id, load_signer
    from unlearn_core.records.base import sha256

    if release:
        pem = release_pem(release_key(load_signer()).public_key())
        Output(json).give({"id": sha256(pem), "public_key": pem.decode()}, pem.decode().rstrip)
        return
    key = load_signer().public_key()
    pem = public_pem(key).decode()
    Output(json).give({"id": key_id(key), "public_key": pem}, pem.rstrip)
