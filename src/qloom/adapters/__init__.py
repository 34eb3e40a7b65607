"""Adapters of large models made of circuits: kinds of adapters of peft itself.

Importing this tells peft of them, so that its own functions read folders of such adapters.
"""

from typing import TYPE_CHECKING

from qloom.exports import exported_by
from qloom.extras import package

if TYPE_CHECKING:
    from qloom.adapters.generated import GeneratedConfig
    from qloom.adapters.givens import GivensConfig, givens_circuit
    from qloom.adapters.pauli import PauliAdapterConfig
    from qloom.adapters.replicas import replicated
    from qloom.adapters.table import adapter_table
    from qloom.adapters.two_axis import TwoAxisConfig

package("peft", "qloom.adapters", "llm")
from qloom.adapters.registration import register_all  # noqa: E402

register_all()

__all__ = [
    "GeneratedConfig", "GivensConfig", "PauliAdapterConfig", "TwoAxisConfig", "adapter_table", "givens_circuit",
    "replicated",
]  # fmt: skip
__getattr__ = exported_by(__name__)
