"""The workspace: what a user owns, and where each thing in it stands."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from flows.errors import WorkspaceError

PRIVATE_FOLDERS = ("archive", "warehouse", "published")
FOLDERS = ("clinics", "instruments", "inbox", *PRIVATE_FOLDERS)


@dataclass(frozen=True)
class Workspace:
    """The folders and files of one service."""

    root: Path

    @property
    def settings(self) -> Path:
        """rapport.toml."""
        return self.root / "rapport.toml"

    @property
    def clinics(self) -> Path:
        """One mapping file for each clinic."""
        return self.root / "clinics"

    @property
    def corrections(self) -> Path:
        """Cells of delivered files known to be wrong; readable by the owner alone."""
        return self.root / "corrections.toml"

    @property
    def aliases(self) -> Path:
        """Which numbers mean the same person; readable by the owner alone."""
        return self.root / "aliases.csv"

    @property
    def therapist_names(self) -> Path:
        """What therapists are called; readable by the owner alone."""
        return self.root / "names" / "therapists.csv"

    @property
    def supervisors(self) -> Path:
        """Who supervises whom; readable by the owner alone."""
        return self.root / "names" / "supervisors.csv"

    @property
    def patient_numbers(self) -> Path:
        """Patients' own numbers, one file for each clinic; readable by the owner alone."""
        return self.root / "names" / "patients"

    @property
    def objections(self) -> Path:
        """Which patients object to their risk being estimated; readable by the owner alone."""
        return self.root / "objections.csv"

    @property
    def templates(self) -> Path:
        """Tables for clinics to fill in, and the sources that read them; never read from here."""
        return self.root / "templates"

    @property
    def instruments(self) -> Path:
        """The service's own instrument files."""
        return self.root / "instruments"

    @property
    def inbox(self) -> Path:
        """One folder for each clinic, where exports are dropped."""
        return self.root / "inbox"

    @property
    def archive(self) -> Path:
        """Landed files by sha-256, byte for byte."""
        return self.root / "archive"

    @property
    def warehouse(self) -> Path:
        """The one database."""
        return self.root / "warehouse" / "rapport.duckdb"

    @property
    def scratch(self) -> Path:
        """Decoded text and clinics' own databases while a night runs."""
        return self.root / "warehouse" / "scratch"

    @property
    def progress(self) -> Path:
        """What the running or last run said of itself; readable while the database is locked."""
        return self.root / "warehouse" / "run.json"

    @property
    def drawings(self) -> Path:
        """What the last night drew; saves work and may be deleted."""
        return self.root / "warehouse" / "drawings.json"

    @property
    def published(self) -> Path:
        """One folder for each night, and `current`."""
        return self.root / "published"

    @property
    def current(self) -> Path:
        """Link to the last green night."""
        return self.published / "current"

    @property
    def key_path(self) -> Path:
        """The pseudonymisation key."""
        return self.root / "key"

    def key(self) -> bytes:
        """The pseudonymisation key.

        Raises:
            WorkspaceError: when it is missing, too short, or others may read it.
        """
        try:
            mode = self.key_path.stat().st_mode & 0o777
            key = bytes.fromhex(self.key_path.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise WorkspaceError(
                f"{self.key_path}: the pseudonymisation key cannot be read"
                f" ({error.__class__.__name__})",
                "Restore it from your backup. A new key would give every patient a new pseudonym.",
            ) from None
        if mode & 0o077:
            raise WorkspaceError(
                f"{self.key_path}: others may read the key (mode {mode:o})",
                f"chmod 600 {self.key_path}",
            )
        if len(key) < 32:
            raise WorkspaceError(f"{self.key_path}: the key has {len(key)} bytes, 32 are needed")
        return key

    def write_key(self, key: bytes | None = None) -> None:
        """Make the key, readable by its owner alone."""
        handle = os.open(self.key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write((key or secrets.token_bytes(32)).hex() + "\n")

    def make_folders(self) -> None:
        """Create the folders; those that hold what patients said are the owner's alone."""
        self.root.mkdir(parents=True, exist_ok=True)
        for name in FOLDERS:
            (self.root / name).mkdir(exist_ok=True)
        for name in PRIVATE_FOLDERS:
            (self.root / name).chmod(0o700)

    def check(self) -> None:
        """See that this is a workspace that can be written.

        Raises:
            WorkspaceError: naming everything that is missing or not writable.
        """
        if not self.settings.is_file():
            raise WorkspaceError(
                f"{self.root.resolve()}: there is no rapport.toml here",
                "Make a workspace with `rapport init DIR`, or name one with -w DIR.",
            )
        faults = [
            f"{self.root / name}: missing" for name in FOLDERS if not (self.root / name).is_dir()
        ]
        faults += [
            f"{self.root / name}: cannot be written"
            for name in FOLDERS
            if (self.root / name).is_dir() and not os.access(self.root / name, os.W_OK | os.X_OK)
            and name in (*PRIVATE_FOLDERS, "inbox")
        ]  # fmt: skip
        if faults:
            raise WorkspaceError(
                faults,
                "Create the folders, or give the account that runs the night the right to write.",
            )
