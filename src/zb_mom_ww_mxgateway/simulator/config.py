"""One TOML file in which users describe their own plant, alone or on top of a generated one.

```toml
[plant]                      # the generated part; generate = false leaves it out
objects = 60
alarm_scenario = "normal"

[[templates]]
name = "$Chiller"
base = "$Pump_Centrifugal"   # its attributes and its machine are inherited
[templates.attributes.BrineTemp]
type = "Float"
historized = true
signal = { kind = "machine_quantity", on = -8, off = 14, noise = 0.3, up_s = 60 }
alarm = { type = "Hi", limit = 0, priority = 300, description = "Brine too warm" }

[[objects]]
name = "Chiller_001"
template = "$Chiller"
parent = "Line_001"          # an object of the file or of the generated plant
contained_name = "Chiller"

[[objects]]                  # a generated object can get more attributes
name = "Tank_001"
[objects.attributes.Operator]
type = "String"

[gateway]                    # not read here: it is returned as it stands
port = 5000
```

Lists count from 0 in messages: `plant.toml: objects[1].parent: …` is the second `[[objects]]`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from .config_objects import read_objects, read_templates
from .config_reader import PlantConfigError, Table
from .equipment import TEMPLATES
from .generate import AlarmScenario, Layout, PlantSpec, lay_out, make_plant
from .plant import Plant

__all__ = ["PlantConfig", "PlantConfigError", "load_plant_config", "parse_plant_config"]

_SCENARIOS: dict[str, AlarmScenario] = {word: word for word in get_args(AlarmScenario)}


@dataclass(frozen=True)
class PlantConfig:
    """A plant as a file describes it.

    Args:
        spec: seed, name and alarm scenario, and what is generated.
        layout: all objects and templates, generated ones and the file's own.
        gateway: the table `[gateway]` as it stands in the file; it is the server's to read.
    """

    spec: PlantSpec
    layout: Layout
    gateway: Mapping[str, object]

    def plant(self, *, start_us: int) -> Plant:
        """The plant, for a simulation that starts at `start_us`."""
        return make_plant(self.spec, self.layout, start_us=start_us)


def load_plant_config(path: str | Path) -> PlantConfig:
    """Read a configuration file.

    Args:
        path: of a TOML file.

    Returns:
        The configuration, wholly checked.

    Raises:
        PlantConfigError: the file is no TOML, or something in it is not as expected.
        OSError: the file cannot be read.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise PlantConfigError(path.name, "", f"not UTF-8: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise PlantConfigError(path.name, "", f"not TOML: {error}") from error
    return parse_plant_config(data, source=path.name)


def parse_plant_config(data: Mapping[str, object], *, source: str = "config") -> PlantConfig:
    """Check a configuration that has been read already.

    Args:
        data: what the file holds.
        source: its name, for messages.

    Raises:
        PlantConfigError: something is not as expected.
    """
    top = Table(source, "", data)
    spec, generate = _read_spec(top.table("plant") or Table(source, "plant", {}))
    layout = lay_out(spec) if generate else Layout(templates=dict(TEMPLATES))
    gateway = top.table("gateway")
    read_templates(top, layout)
    read_objects(top, layout)
    top.done()
    if not layout.objects:
        raise top.error("objects", "missing; expected at least one object, as nothing is generated")
    return PlantConfig(spec, layout, gateway.data if gateway is not None else {})


def _read_spec(table: Table) -> tuple[PlantSpec, bool]:
    defaults = PlantSpec()
    generate = table.flag("generate", True)
    per_object = None
    if "attributes_per_object" in table:
        per_object = table.integer("attributes_per_object", low=1, high=10_000)
    spec = PlantSpec(
        objects=table.integer("objects", defaults.objects, low=10, high=1_000_000),
        seed=table.integer("seed", defaults.seed, low=-(1 << 63), high=(1 << 63) - 1),
        galaxy_name=table.text("galaxy_name", defaults.galaxy_name),
        attributes_per_object=per_object,
        alarm_scenario=table.choice("alarm_scenario", _SCENARIOS, defaults.alarm_scenario),
    )
    table.done(("attributes_per_object",))
    return spec, generate
