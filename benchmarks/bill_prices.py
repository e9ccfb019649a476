"""What Cloudflare charges, in US dollars a month, as copies of its pages say that were read on 28 November 2026.

- D1: https://developers.cloudflare.com/d1/platform/pricing/
- Workers and the plan: https://developers.cloudflare.com/workers/platform/pricing/
- R2: https://developers.cloudflare.com/r2/pricing/

Requests to D1's REST API cost nothing, and are limited instead:
https://developers.cloudflare.com/fundamentals/api/reference/limits/
Nobody charges for egress, of D1, of Workers or of R2.
"""

from dataclasses import dataclass

SOURCES = "developers.cloudflare.com/d1/platform/pricing, /workers/platform/pricing, /r2/pricing, read 28 November 2026"
MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """So many units a month are included; each block of `block` units above them costs `dollars`."""

    included: float
    dollars: float
    block: float = MILLION

    def of(self, units: float) -> float:
        """Return the dollars that so many units a month cost."""
        return max(0.0, units - self.included) / self.block * self.dollars


PLAN = 5.0  # Workers Paid, for the account; what is included below is included in it

D1_ROWS_READ = Price(included=25_000 * MILLION, dollars=0.001)
D1_ROWS_WRITTEN = Price(included=50 * MILLION, dollars=1.00)
D1_STORAGE_GB = Price(included=5, dollars=0.75, block=1)

WORKERS_REQUESTS = Price(included=10 * MILLION, dollars=0.30)
WORKERS_CPU_MS = Price(included=30 * MILLION, dollars=0.02)

# R2's standard storage. Class A operations write and list, class B operations read; deleting is free.
R2_CLASS_A = Price(included=1 * MILLION, dollars=4.50)
R2_CLASS_B = Price(included=10 * MILLION, dollars=0.36)
R2_STORAGE_GB = Price(included=10, dollars=0.015, block=1)

REST_ALLOWANCE = 1200  # requests of an account in REST_WINDOW
REST_WINDOW = 300.0  # seconds
