"""Recordings: video and audio, by the programs ffmpeg and ffprobe.

probing      START HERE: what a file states, by ffprobe     poster, preview      a picture of a film; a small film, or its sound
recording    its streams, as the processors see them        waveform, loudness   of the sound
refusals     from a program's complaint to a verdict        decoding             the arguments that every run of ffmpeg begins with
"""

from shared.processors.recordings.facts import facts
from shared.processors.recordings.loudness import loudness
from shared.processors.recordings.poster import write_poster
from shared.processors.recordings.preview import write_preview
from shared.processors.recordings.probing import opened
from shared.processors.recordings.waveform import write_waveform

__all__ = ["facts", "loudness", "opened", "write_poster", "write_preview", "write_waveform"]
