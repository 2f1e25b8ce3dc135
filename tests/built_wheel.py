"""Lethe as a wheel, and environments that it is installed into, with the libraries of this one."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from world import PACKAGES, ROOT

PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
OFFLINE = ("--no-deps", "--no-index")


@dataclass(frozen=True)
class Environment:
    """An environment with the wheel in it."""

    folder: Path
    wheel: Path

    @property
    def variables(self) -> dict[str, str]:
        """What somebody's environment holds who has activated this one."""
        programs = [self.folder / "bin", Path(sys.executable).parent]
        git = {
            f"GIT_{role}_{part}": "nobody" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
        }
        own = {"LETHE_HOME": str(self.folder / "keys"), "PREFECT_HOME": str(self.folder / "prefect")}
        path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return {**kept, **own, **git, "PATH": path}

    def run(self, folder: Path, *command: str) -> str:
        """Run a program as somebody does who has this environment activated; it must succeed."""
        done = subprocess.run(
            command, cwd=folder, env=self.variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def build_wheel(folder: Path) -> Path:
    """Build a wheel from this repository, in a folder."""
    source = folder / "source"
    for package in PACKAGES:
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", str(folder), str(source)]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, environment: Path) -> None:
    """Install a wheel into a virtual environment, and let that see the libraries of this one."""
    (site,) = environment.glob("lib/python*/site-packages")
    # What is installed in an environment goes before what its .pth files add.
    (site / "libraries.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_paths()['purelib']!r})\n"
    )
    into = ("--python", str(environment / "bin" / "python"))
    subprocess.run([*PIP, *into, "install", *OFFLINE, str(wheel)], check=True)


if __name__ == "__main__":
    install(Path(sys.argv[1]), Path(sys.argv[2]))
