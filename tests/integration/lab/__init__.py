# SPDX-License-Identifier: MIT
"""The lab: a small internet in network namespaces, shared by the integration tests and the demo."""
