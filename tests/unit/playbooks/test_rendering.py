import pytest
from jinja2.exceptions import SecurityError
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.runtime import Undefined

from listener.errors import TemplateError
from playbooks.rendering import MAX_OUTPUT_CHARACTERS, CompiledTemplate, compiled, fill, sandbox

VALUES = {name: name.upper() for name in ("greeting", "handoff", "signature", "name", "product", "place", "brand")}


def test_placeholders_and_conditions_are_filled_in() -> None:
    template = compiled("{{ greeting }} {% if product %}{{ product }}{% else %}it{% endif %}. {{ signature }}")
    assert template.render(VALUES) == "GREETING PRODUCT. SIGNATURE"
    assert template.render({**VALUES, "product": ""}) == "GREETING it. SIGNATURE"
    assert template.names == {"greeting", "product", "signature"}


def test_values_are_data_and_never_compiled() -> None:
    hostile = "{{ brand }}{% for x in y %}{# #}${brand}%(brand)s"
    assert compiled("{% if name %}{{ name }}{% endif %}|{{ brand }}").render({**VALUES, "name": hostile}) == (
        hostile + "|BRAND"
    )


def test_nothing_is_escaped_because_each_receiver_escapes() -> None:
    assert compiled("{{ brand }}").render({"brand": "<b>A & B</b>"}) == "<b>A & B</b>"


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 10**9 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ brand + brand }}",
        "{{ brand ~ brand }}",
        "{{ -1 }}",
        "{{ ().__class__.__mro__ }}",
        "{{ brand.upper() }}",
        "{{ brand['x'] }}",
        "{{ brand|upper }}",
        "{{ brand|attr('x') }}",
        "{{ brand|trim('x') }}",
        "{% for x in brand %}{% endfor %}",
        "{% set brand = handoff %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% macro m() %}{% endmacro %}",
        "{% if brand == handoff %}x{% endif %}",
        "{% if brand is defined %}x{% endif %}",
        "{% block b %}{% endblock %}",
        "{{ range(10) }}",
        "{{ self }}",
        "{{ brand",
        "{% if brand %}",
        "{{ " + "(" * 900 + "brand" + ")" * 900 + " }}",
        "{% if " + "not " * 480 + "brand %}x{% endif %}",
        "{% if brand %}" * 90 + "{% endif %}" * 90,
        "x" * 2001,
        "{% raw %}{{ brand }}{% endraw %}",
        "{%- raw %}x{% endraw %}",
        "x {# your order number #}",
        "{{ not brand }}",
        "{{ brand and handoff }}",
        "{% if name %}{{ (brand or handoff)|trim }}{% endif %}",
    ],
)
def test_anything_but_placeholders_and_conditions_is_refused(source: str) -> None:
    with pytest.raises(TemplateError) as caught:
        CompiledTemplate(source)
    assert "allowed" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "fits"),
    [
        ("{% if name %}{{ name }}{% endif %}", True),
        ("{% if name and product %}{{ name }}{{ product }}{% endif %}", True),
        ("{% if not place %}x{% else %}{{ place }}{% endif %}", True),
        ("{{ name }}", False),
        ("{% if product %}{{ name }}{% endif %}", False),
        ("{% if name or product %}{{ name }}{% endif %}", False),
        ("{% if name %}x{% else %}{{ name }}{% endif %}", False),
        ("{% if name %}x{% elif place %}{{ place }}{% endif %}", True),
    ],
)
def test_what_may_be_empty_stands_inside_its_condition(source: str, fits: bool) -> None:
    if fits:
        compiled(source).render(VALUES)
    else:
        with pytest.raises(TemplateError, match="may be empty; use it inside"):
            compiled(source)


@pytest.mark.parametrize("source", ["{{ greeting|capitalize }}", "{{ greeting|trim|capitalize }}"])
def test_a_greeting_is_not_capitalized_because_of_the_name_in_it(source: str) -> None:
    with pytest.raises(TemplateError, match="'greeting' must not be capitalized"):
        compiled(source)
    assert compiled("{{ brand|capitalize }}").render({"brand": "acme"}) == "Acme"


@pytest.mark.parametrize("source", ["{{ 'a' * 9 }}", "{{ 2 ** 9 }}", "{{ 'a' % 1 }}", "{{ 1 + 1 }}", "{{ -brand }}"])
def test_the_sandbox_alone_refuses_arithmetic(source: str) -> None:
    with pytest.raises(SecurityError):
        sandbox().from_string(source).render(brand="x")


@pytest.mark.parametrize("source", ["{{ brand.upper() }}", "{{ brand.__class__ }}", "{{ brand|upper }}"])
def test_the_sandbox_alone_refuses_attributes_and_other_filters(source: str) -> None:
    with pytest.raises(JinjaError):
        sandbox().from_string(source).render(brand="x")


def test_a_missing_value_is_an_error_and_not_an_empty_string() -> None:
    assert issubclass(sandbox().undefined, Undefined)
    with pytest.raises(TemplateError, match="cannot be rendered"):
        compiled("{{ brand }}").render({})


def test_output_is_bounded() -> None:
    with pytest.raises(TemplateError, match="exceeds"):
        compiled("{{ brand }}" * 50).render({"brand": "x" * (MAX_OUTPUT_CHARACTERS // 40)})


def test_a_phrase_knows_only_its_own_placeholders() -> None:
    assert fill("— {{ agent }}, {{ brand }}", agent="Léa", brand="Yunfan") == "— Léa, Yunfan"
    with pytest.raises(TemplateError, match="unknown placeholder 'agent'; allowed: brand"):
        fill("{{ agent }}", brand="Yunfan")
