"""What every test shares: nothing leaves the machine, no file outside the test's own folder."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["ANONYMIZED_TELEMETRY"] = "False"
