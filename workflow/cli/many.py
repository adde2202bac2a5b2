"""Commands that take one case or many: CASE, several of them, ``-`` for standard input, or the filters of the list."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from workflow.cli.filters import filter_options, filters_of
from workflow.cli.session import Verb
from workflow.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from workflow.cli.session import Session
    from workflow.services.wave import Item

_NUMBER = r"#?[0-9]{1,9}(-#?[0-9]{1,9})?"
_NUMBERS = re.compile(rf"{_NUMBER}(,\s*{_NUMBER})*")
_MOST = 100_000
"""Cases that a range of numbers may name: more is a slip of the hand."""
_STDIN = "-"


@dataclass(frozen=True, slots=True)
class Cases:
    """Which cases a command is about, as they were typed.

    Args:
        words: what stood where CASE stands.
        filters: the filters that were given, or None.
        yes: whether nothing is to be asked.
    """

    words: tuple[str, ...]
    filters: Mapping[str, Any] | None = None
    yes: bool = False

    @property
    def single(self) -> str:
        """The one case that was named, or "" for any other number."""
        if self.filters is not None or len(self.words) != 1:
            return ""
        word = self.words[0]
        several = _NUMBERS.fullmatch(word) and not word.removeprefix("#").isdecimal()
        return "" if word == _STDIN or several else word

    @property
    def piped(self) -> bool:
        """Whether standard input says which cases, so that nobody can be asked there."""
        return _STDIN in self.words

    def items(self, session: Session) -> list[Item]:
        """Return the cases.

        Raises:
            InputError: standard input cannot be read as a list of cases.
        """
        from workflow.services import wave

        if self.filters is not None:
            return wave.fitting(session.app, filters_of(session, self.filters))
        return wave.referred(session.app, self._references())

    def _references(self) -> Sequence[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for word in self.words:
            if word == _STDIN:
                found += _typed()
            elif _NUMBERS.fullmatch(word):
                found += [(number, number) for part in word.split(",") for number in _spelled(part.strip())]
            else:
                found.append((word, word))
        return found


def _spelled(part: str) -> Sequence[str]:
    """Return the numbers of ``7`` or ``3-7``."""
    first, dash, last = part.replace("#", "").partition("-")
    if not dash:
        return [part]
    if not 0 <= int(last) - int(first) < _MOST:
        raise InputError(f"{part} is no range of at most {_MOST:,} case numbers, the smaller one first.")
    return [str(number) for number in range(int(first), int(last) + 1)]


def compact(numbers: Iterable[int]) -> str:
    """Return case numbers as CASE takes them, neighbours as a range: ``1-3,7``."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _typed() -> list[tuple[str, str]]:
    from workflow.sources.case_list import case_references

    if sys.stdin is None:
        raise InputError("Standard input is closed, so no cases can be read from it.")
    return case_references(sys.stdin.buffer, "standard input")


class Many(Verb):
    """A command whose first argument says which cases it is about; it arrives as ``cases``.

    Args:
        several: whether several cases may be named one after the other, because nothing else follows them.
        instead: names of options that say themselves which cases they are about.
        asks: whether there is something to ask before it is done; there is nothing where cases are only read.
    """

    def __init__(
        self,
        *arguments: Any,
        several: bool = False,
        instead: tuple[str, ...] = (),
        asks: bool = True,
        **options: Any,
    ) -> None:
        """Put CASE before the command's own arguments and the filters behind its own options."""
        super().__init__(*arguments, **options)
        taken = {name for param in self.params for name in param.opts}
        self.filters = [option for option in filter_options() if not taken.intersection(option.opts)]
        self.instead = instead
        self.several = several
        yes = [click.Option(["--yes"], is_flag=True, help="Skip the confirmation; needed where there is no terminal.")]
        case = click.Argument(
            ["case"], nargs=-1 if several else 1, required=False, metavar="CASE..." if several else "CASE"
        )
        self.params = [case, *self.params, *(yes if asks else []), *self.filters]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave no gap where CASE stands when something else says which cases."""
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        others = {*(str(option.name) for option in self.filters), *self.instead}
        if not self.several and others.intersection(given):
            args = ["", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Gather what says which cases, and run the command."""
        names = [str(option.name) for option in self.filters]
        found = {name: ctx.params.pop(name) for name in names}
        narrowed = any(ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in names)
        case = ctx.params.pop("case")
        words = tuple(case) if self.several else (case,) if case else ()
        elsewhere = any(ctx.params[name] for name in self.instead)
        if words and narrowed:
            raise click.UsageError("Name cases, or give filters, not both.", ctx)
        if elsewhere and (words or narrowed):
            raise click.UsageError("The file says which cases: name none, and give no filters.", ctx)
        if not (words or narrowed or elsewhere):
            raise click.UsageError("Missing argument 'CASE': name a case, or give filters such as --state.", ctx)
        ctx.params["cases"] = Cases(words, found if narrowed else None, ctx.params.pop("yes", False))
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, and the filters in a section of their own."""
        own = [item for item in self.get_params(ctx) if item not in self.filters]
        for title, params in (("Options", own), ("Instead of CASE, every case that fits", self.filters)):
            found = [record for param in params if (record := param.get_help_record(ctx)) is not None]
            # The usage line has named the arguments; a row without words says nothing.
            records = [record for record in found if record[1]]
            with formatter.section(title):
                formatter.write_dl(records)
