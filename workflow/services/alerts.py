"""Alerts as the clock works on them: each of these is called as often as anybody likes, and does what is left to do.

``collect`` finds what gives cause and puts messages into the outbox, ``digest`` adds the day's, ``alarm`` what is on no
ledger, and ``deliver`` sends what is due.
"""

from workflow.services.alert_causes import alarm, collect, digest
from workflow.services.alert_delivery import Delivered, deliver

__all__ = ["Delivered", "alarm", "collect", "deliver", "digest"]
