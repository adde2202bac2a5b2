"""What an auditor looks at first."""

from workflow.domain.notable import KINDS, RECORDED_LATE


def test_the_threshold_is_said() -> None:
    """Whoever reads what was looked for reads how late is late."""
    hours = RECORDED_LATE.total_seconds() / 3600

    assert f"more than {hours:.0f} hours" in KINDS["recorded-late"]
