"""Reasons in words: the meaning of each code of manifests and lists, and the remedy."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """A title of a few words, the meaning of the reason, and the next thing to do."""

    title: str
    meaning: str
    remedy: str


_CHANGE_LIMIT = (
    "If such files are wanted, raise this limit of the step in pipeline.toml, deploy, then run it again with today's plan."
)
_SAVE_AGAIN = "Open the original, save it again, and upload that. Running the same bytes again gives the same result."
_NOTHING = "Nothing to do."

REASONS: Mapping[str, Reason] = {
    # faults of a file, found by processors
    "corrupt": Reason("Damaged file", "The bytes break the rules of the file's format.", _SAVE_AGAIN),
    "truncated": Reason(
        "Cut off", "The file ends too early: an earlier copy or download stopped halfway.", "Upload it again, whole."
    ),
    "not_a_picture": Reason(
        "Not a picture",
        "The name or content type says picture; the bytes do not.",
        "Upload it under its own type, or convert it first.",
    ),
    "unsupported": Reason(
        "Kind not supported",
        "The file is fine, but this kind is not opened.",
        "Convert it to a kind that is opened, such as JPEG, PNG or PDF.",
    ),
    "too_many_pixels": Reason(
        "Too many pixels", "The picture is larger than its step allows.", f"Make it smaller. {_CHANGE_LIMIT}"
    ),
    "too_many_frames": Reason(
        "Too many frames", "The animation has more frames than its step allows.", f"Shorten it. {_CHANGE_LIMIT}"
    ),
    "too_many_streams": Reason(
        "Too many streams",
        "The recording has more than 100 streams.",
        "Save it with the streams that are needed.",
    ),
    "too_much_metadata": Reason(
        "Too much metadata",
        "The colour profile or directory of the picture is too large to be read.",
        "Save it without metadata.",
    ),
    "password": Reason("Password needed", "The document opens only with a password.", "Save it without one, and upload that."),
    "unpacks_too_large": Reason(
        "Too large inside",
        "The document unpacks to more than 512 MiB, or the archive to more than its step allows.",
        "Split it into smaller files.",
    ),
    "too_deep": Reason(
        "Archive in an archive",
        "It came out of an archive, and its step extracts none that lies so deep.",
        f"Upload the inner archive by itself. {_CHANGE_LIMIT}",
    ),
    "too_many_members": Reason(
        "Too many members", "The archive has more members than its step allows.", f"Split it. {_CHANGE_LIMIT}"
    ),
    "overlapping_members": Reason(
        "Zip bomb",
        "Members of the archive share bytes, so that it unpacks without end.",
        "Pack its files anew, and upload that.",
    ),
    "too_many_pages": Reason(
        "Too many pages", "The document has more pages than its step allows.", f"Split it. {_CHANGE_LIMIT}"
    ),
    "table_too_large": Reason(
        "Table too large",
        "The table has more than 2,000 columns, or a sheet spans more than 5,000,000 cells.",
        "Delete stray cells or split it; send CSV or Parquet for many rows.",
    ),
    "infected": Reason(
        "Malware",
        "The scanner found malware; `message` has the name of its signature.",
        "Delete the file, and warn its sender.",
    ),
    "not_scanned": Reason(
        "Not scanned whole",
        "The file exceeds a limit of the scanner, so it is not known to be clean.",
        "Raise the limits in clamd.conf, then run it again.",
    ),
    "refused_by_service": Reason(
        "Refused by a service",
        "The service that the step calls does not take this file; `message` has its words.",
        "Correct the file as the service says, and upload that.",
    ),
    "not_a_text": Reason(
        "Not a text", "The name or content type says text; the bytes do not.", "Upload it under its own type."
    ),
    "no_output": Reason(
        "Nothing found", "The processor found nothing to make from this file.", "Look at the file: it may be empty inside."
    ),
    # faults of a file, found around its steps
    "bad_file": Reason("File at fault", "The processor refuses this file; its message says why.", _SAVE_AGAIN),
    "bad_option": Reason(
        "Wrong option",
        "The upload set an option to a value that the step refuses.",
        "Upload the file again with a right value.",
    ),
    "no_input": Reason(
        "Input missing",
        "The step works on an output of another step, which was not made or was deleted.",
        "Run everything afresh: that makes the output again.",
    ),
    "no_asset": Reason(
        "Watermark missing",
        "The step puts an object under assets/ of the results bucket in front, and there is no such object.",
        "Copy it there with gsutil, then run the file again.",
    ),
    "bad_asset": Reason(
        "Watermark unusable",
        "The object under assets/ that the step puts in front is too large, or no picture.",
        "Store a right one under a new name, name it in pipeline.toml, and run with today's plan.",
    ),
    "asset_changed": Reason(
        "Watermark changed",
        "The object under assets/ has other bytes than when the step first used it; earlier outputs have the old ones.",
        "Store it under a new name, name it in pipeline.toml, and run with today's plan.",
    ),
    "name_too_long": Reason(
        "Name too long", "The object's name leaves no room for the names of its outputs.", "Upload it under a shorter name."
    ),
    "too_large": Reason(
        "Too large",
        "The file has more bytes than this installation takes.",
        "Upload a smaller one, or raise SLUICE_MAX_FILE_BYTES.",
    ),
    "unsupported_encoding": Reason(
        "Encoding not supported", "Its Content-Encoding is not gzip.", "Upload it with gzip or without an encoding."
    ),
    "limit_time": Reason("Took too long", "The step ran longer than its time limit.", _CHANGE_LIMIT),
    "limit_memory": Reason("Needed too much memory", "The step needed more memory than its limit, twice.", _CHANGE_LIMIT),
    "limit_output": Reason("Made too much", "The outputs are larger or more than the step's limit.", _CHANGE_LIMIT),
    "decoder_crashed": Reason(
        "Crashed its decoder",
        "The library that reads this kind of file crashed on it, twice. Nothing else was hurt.",
        _SAVE_AGAIN,
    ),
    # our fault
    "attempts_used_up": Reason(
        "Gave up",
        "Every attempt failed, and the file is not to blame. The message has the error of the last attempt.",
        "Mend the cause, then run it again.",
    ),
    # neither
    "superseded": Reason(
        "Replaced",
        "A newer upload of the same name came before this one was processed.",
        f"{_NOTHING} The newer upload has its own run.",
    ),
    "gone": Reason("Deleted", "The upload was deleted before it was processed.", "Upload it again if it is still wanted."),
    "when": Reason("Not called for", "The condition of this step is false for this file.", _NOTHING),
    "after_skipped": Reason("Not called for", "The steps before it were not called for.", _NOTHING),
    "after_failed": Reason("Skipped", "A step before it did not succeed.", "See that step; this one follows when it succeeds."),
    "cancelled": Reason("Cancelled", "An operator cancelled it before it ended.", "Run it again if it is wanted after all."),
    "no_route": Reason(
        "No route",
        "No route of pipeline.toml takes a file of this type and name.",
        "Add a route, deploy, then run it with today's plan.",
    ),
    "empty": Reason("Empty file", "The file has no bytes.", "Upload it again, with its content."),
    "guard": Reason(
        "Stopped by the guard",
        "More files came, or one object more often, than the runaway guard allows; or results were uploaded again and again.",
        "End the loop. If it was none, lift the guard: ./sluice guard lift. Then run it again.",
    ),
}


def titles(codes: str, state: str = "") -> str:
    """The titles of a job's reasons, which lists show beside the word of its state; without one that says the same."""
    found = dict.fromkeys(of(code).title for code in codes.split(",") if code)
    return ", ".join(title for title in found if title.lower() != state)


def of(code: str) -> Reason:
    """The reason in words. A code that is missing here is a processor's own; a sentence names an ignored object."""
    title = code.replace("_", " ").capitalize() if code else "No reason recorded"
    meaning = "The pipeline ignores such objects." if " " in code else "The message of the step has more about it."
    return REASONS.get(code) or Reason(title, meaning, "")
