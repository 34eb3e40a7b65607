"""Statements of OpenQASM 2 and 3 as trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qloom.circuits.qasm import syntax as s
from qloom.circuits.qasm.expressions import TYPES, Expressions
from qloom.circuits.qasm.tokens import Token, Tokens

_ASSIGNS = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "**="})
# What OpenQASM has and no circuit here.
REFUSED = {
    "extern": "a function defined elsewhere", "cal": "pulses", "defcal": "pulses", "defcalgrammar": "pulses",
    "delay": "a delay", "stretch": "timing", "duration": "timing", "stretchinf": "timing",
}  # fmt: skip
_MODIFIERS = frozenset({"ctrl", "negctrl", "inv", "pow"})
# Blocks within each other.
_MOST_DEPTH = 100


class Statements:
    """Reads statements from tokens, one after the other."""

    def __init__(self, tokens: Tokens, version: int):
        self.tokens, self.version = tokens, version
        self.expressions = Expressions(tokens, version)
        self._depth = 0

    def next(self) -> Any:
        """The next statement; None at the end of the text. What says nothing is passed over."""
        while True:
            token = self.tokens.peek()
            if token.kind == "end":
                return None
            if token.kind == "pragma":
                self._pass_pragma(self.tokens.next())
            elif not self.tokens.takes(";"):
                statement = self._statement()
                if statement is not None:
                    return statement

    def _pass_pragma(self, token: Token) -> None:
        if not token.text.startswith("@"):
            raise self.tokens.fault(token.place, f"{token.text.strip()!r} is a pragma that no circuit here has")

    def body(self) -> tuple[Any, ...]:
        """A block in braces, or one statement."""
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self.tokens.fault(self.tokens.peek().place, f"more than {_MOST_DEPTH} blocks within each other")
        out = tuple(self._block()) if self.tokens.takes("{") else self._single()
        self._depth -= 1
        return out

    def _single(self) -> tuple[Any, ...]:
        token = self.tokens.peek()
        statement = None if self.tokens.takes(";") else self.next()
        if statement is None and token.kind == "end":
            raise self.tokens.fault(token.place, "the text ends, expected a statement")
        return () if statement is None else (statement,)

    def _block(self) -> Iterator[Any]:
        while not self.tokens.takes("}"):
            token = self.tokens.peek()
            if token.kind == "end":
                raise self.tokens.fault(token.place, "the text ends in a block, expected '}'")
            if token.kind == "pragma":
                self._pass_pragma(self.tokens.next())
            elif not self.tokens.takes(";"):
                statement = self._statement()
                if statement is not None:
                    yield statement

    def _statement(self) -> Any:
        token = self.tokens.peek()
        if token.text == "{" and self.version == 3:
            return s.Block(token.place, self.body())
        if token.kind != "word":
            return self._expression_or_gate()
        if token.text in REFUSED and self.version == 3:
            raise self.tokens.fault(token.place, f"{token.text} is {REFUSED[token.text]}, which no circuit here has")
        read = getattr(self, f"_read_{token.text}", None)
        if read is not None and (self.version == 3 or token.text in _WORDS_OF_2):
            return read(self.tokens.next())
        if self.version == 3 and (token.text in TYPES or token.text == "qubit"):
            return self._declaration(self.tokens.next())
        return self._expression_or_gate()

    # -- both versions

    def _read_include(self, token: Token) -> s.Include:
        file = self.tokens.next()
        if file.kind != "string":
            raise self.tokens.fault(file.place, f"include {file.text!r}, expected the name of a file in quotes")
        self.tokens.expect(";", "include")
        return s.Include(token.place, file.text[1:-1])

    def _register(self, token: Token, kind: str) -> s.Declare:
        name = self.tokens.word("a name")
        size = None
        if self.tokens.takes("["):
            size = self.expressions.read()
            self.tokens.expect("]", "a size")
        self.tokens.expect(";", f"{token.text} {name.text}")
        return s.Declare(token.place, s.Type(token.place, kind, size), name.text)

    def _read_qreg(self, token: Token) -> s.Declare:
        return self._register(token, "qubit")

    def _read_creg(self, token: Token) -> s.Declare:
        return self._register(token, "bit")

    def _read_gate(self, token: Token) -> s.GateBody:
        return self._gate(token, opaque=False)

    def _read_opaque(self, token: Token) -> s.GateBody:
        return self._gate(token, opaque=True)

    def _gate(self, token: Token, opaque: bool) -> s.GateBody:
        name = self.tokens.word("the name of a gate")
        parameters = self._names(")") if self.tokens.takes("(") else ()
        end = ";" if opaque else "{"
        qubits = self._names(end)
        if not opaque:
            body: tuple[Any, ...] | None = tuple(self._block())
        else:
            body = None
        return s.GateBody(name.place, name.text, parameters, qubits, body)

    def _names(self, end: str) -> tuple[str, ...]:
        out: list[str] = []
        while not self.tokens.takes(end):
            if out:
                self.tokens.expect(",", out[-1])
            name = self.tokens.word("a name")
            if name.text in out:
                raise self.tokens.fault(name.place, f"{name.text} stands twice, expected different names")
            out.append(name.text)
        return tuple(out)

    def _read_barrier(self, token: Token) -> None:
        while not self.tokens.takes(";"):
            if self.tokens.next().kind == "end":
                raise self.tokens.fault(token.place, "a barrier that does not end, expected ';'")

    def _read_measure(self, token: Token) -> Any:
        of = self.expressions._indexed()
        into = self.expressions._indexed() if self.tokens.takes("->") else None
        self.tokens.expect(";", "measure")
        if into is None and self.version == 2:
            raise self.tokens.fault(token.place, "measure without '->', expected a bit that it is written into")
        return s.MeasureInto(token.place, of, into)

    def _read_reset(self, token: Token) -> s.Reset:
        of = self.expressions._indexed()
        self.tokens.expect(";", "reset")
        return s.Reset(token.place, of)

    def _read_if(self, token: Token) -> s.If:
        self.tokens.expect("(", "if")
        condition = self.expressions.read()
        self.tokens.expect(")", "the condition of if")
        if self.version == 2:
            return s.If(token.place, condition, self._single())
        then = self.body()
        return s.If(token.place, condition, then, self.body() if self.tokens.takes("else") else ())

    # -- version 3

    def _declaration(self, token: Token, is_const: bool = False, is_input: bool = False) -> s.Declare:
        kind = self.expressions.type(token)
        name = self.tokens.word("a name")
        value = None
        if self.tokens.takes("="):
            value = self.expressions.read()
        self.tokens.expect(";", f"the declaration of {name.text}")
        return s.Declare(token.place, kind, name.text, value, is_const, is_input)

    def _read_const(self, token: Token) -> s.Declare:
        return self._declaration(self.tokens.word("a type"), is_const=True)

    def _read_input(self, token: Token) -> s.Declare:
        return self._declaration(self.tokens.word("a type"), is_input=True)

    def _read_output(self, token: Token) -> s.Declare:
        return self._declaration(self.tokens.word("a type"))

    def _read_let(self, token: Token) -> s.Alias:
        name = self.tokens.word("a name")
        self.tokens.expect("=", f"let {name.text}")
        value = self.expressions.read()
        self.tokens.expect(";", f"let {name.text}")
        return s.Alias(token.place, name.text, value)

    def _read_for(self, token: Token) -> s.For:
        kind = self.expressions.type(self.tokens.word("a type"))
        name = self.tokens.word("the name of the variable")
        if not self.tokens.takes("in"):
            raise self.tokens.fault(self.tokens.peek().place, f"for {name.text} without 'in'")
        if self.tokens.takes("["):
            over: Any = self.expressions.index()
            self.tokens.expect("]", "a range")
        else:
            over = self.expressions.read()
        return s.For(token.place, kind, name.text, over, self.body())

    def _read_while(self, token: Token) -> s.While:
        self.tokens.expect("(", "while")
        condition = self.expressions.read()
        self.tokens.expect(")", "the condition of while")
        return s.While(token.place, condition, self.body())

    def _read_switch(self, token: Token) -> s.Switch:
        self.tokens.expect("(", "switch")
        of = self.expressions.read()
        self.tokens.expect(")", "the value of switch")
        self.tokens.expect("{", "switch")
        cases, default = [], ()
        while not self.tokens.takes("}"):
            word = self.tokens.next()
            if word.text == "case":
                values = self.expressions.several("{")
                cases.append((values, tuple(self._block())))
            elif word.text == "default":
                default = self.body()
            else:
                raise self.tokens.fault(word.place, f"got {word.text!r} in switch, expected case or default")
        return s.Switch(token.place, of, tuple(cases), default)

    def _read_def(self, token: Token) -> s.Subroutine:
        name = self.tokens.word("the name of a subroutine")
        self.tokens.expect("(", f"def {name.text}")
        parameters: list[tuple[s.Type, str]] = []
        while not self.tokens.takes(")"):
            if parameters:
                self.tokens.expect(",", parameters[-1][1])
            word = self.tokens.word("a type")
            if word.text == "mutable":
                raise self.tokens.fault(word.place, f"{name.text} changes an array of its caller, which is not read")
            if word.text in ("const", "readonly"):
                word = self.tokens.word("a type")
            kind = self.expressions.type(_new_name(word))
            parameters.append((kind, self.tokens.word("a name").text))
        if self.tokens.takes("->"):
            self.expressions.type(self.tokens.word("a type"))
        self.tokens.expect("{", f"def {name.text}")
        return s.Subroutine(token.place, name.text, tuple(parameters), tuple(self._block()))

    def _read_box(self, token: Token) -> s.Block:
        if self.tokens.peek().text == "[":
            raise self.tokens.fault(token.place, "box with a duration, which no circuit here has")
        return s.Block(token.place, self.body())

    def _read_return(self, token: Token) -> s.Leave:
        value = None if self.tokens.peek().text == ";" else self.expressions.read()
        self.tokens.expect(";", "return")
        return s.Leave(token.place, "return", value)

    def _leave(self, token: Token) -> s.Leave:
        self.tokens.expect(";", token.text)
        return s.Leave(token.place, token.text)

    _read_break = _read_continue = _read_end = _leave

    # -- gates and expressions

    def _expression_or_gate(self) -> Any:
        token = self.tokens.peek()
        modifiers = []
        while self.version == 3 and self.tokens.peek().text in _MODIFIERS:
            word = self.tokens.next()
            argument = None
            if self.tokens.takes("("):
                argument = self.expressions.read()
                self.tokens.expect(")", word.text)
            self.tokens.expect("@", word.text)
            modifiers.append(s.Modifier(word.place, word.text, argument))
        if modifiers:
            return self._applied(self.tokens.word("a gate"), tuple(modifiers))
        following = self.tokens.peek(1)
        if token.kind == "word" and (following.kind == "word" or (token.text == "gphase" and following.text == "(")):
            return self._applied(self.tokens.next(), ())
        return self._expression()

    def _applied(self, name: Token, modifiers: tuple[s.Modifier, ...]) -> s.Apply:
        arguments = self.expressions.several(")") if self.tokens.takes("(") else ()
        return s.Apply(name.place, name.text, arguments, self._operands(name.text), modifiers)

    def _operands(self, after: str) -> tuple[Any, ...]:
        out: list[Any] = []
        while not self.tokens.takes(";"):
            if out:
                self.tokens.expect(",", f"an operand of {after}")
            if self.tokens.peek().kind != "word":
                raise self.tokens.fault(
                    self.tokens.peek().place, f"got {self.tokens.peek().text!r}, expected a qubit or register"
                )
            out.append(self.expressions._indexed())
        return tuple(out)

    def _expression(self) -> Any:
        """A gate with parameters, an assignment, or a call: told apart by what follows."""
        token = self.tokens.peek()
        if token.kind == "word" and self.tokens.peek(1).text == "(":
            place = token.place
            self.tokens.next(), self.tokens.next()
            arguments = self.expressions.several(")")
            if self.tokens.peek().kind == "word":
                return s.Apply(place, token.text, arguments, self._operands(token.text))
            self.tokens.expect(";", f"{token.text}(...)")
            return s.Evaluate(place, s.Call(place, token.text, arguments))
        if token.kind == "word" and self.version == 2:
            raise self.tokens.fault(token.place, f"{token.text} without operands, expected qubits")
        to = self.expressions._indexed()
        sign = self.tokens.next()
        if sign.text not in _ASSIGNS:
            raise self.tokens.fault(sign.place, f"got {sign.text!r}, expected an assignment or operands")
        value = self.expressions.read()
        self.tokens.expect(";", "an assignment")
        return s.Assign(token.place, to, sign.text, value)


def _new_name(word: Token) -> Token:
    """qreg and creg of old subroutines are qubit and bit."""
    names = {"qreg": "qubit", "creg": "bit"}
    return Token(word.kind, names.get(word.text, word.text), word.place)


_WORDS_OF_2 = frozenset({"include", "qreg", "creg", "gate", "opaque", "barrier", "measure", "reset", "if"})
