//! The card: a message before it is a terminal's, Slack's or Discord's.

/// What a card is about, for a colour. Never the only thing that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// An answer.
    Plain,
    /// Something is being done.
    Working,
    /// It ended well.
    Good,
    /// Somebody should look.
    Warning,
    /// It did not end well.
    Bad,
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// Plain text.
    Text(String),
    /// Text that stands out.
    Strong(String),
    /// A command, an address, a source line: as it is.
    Code(String),
    /// Text that is filled up to a width, in columns of a terminal, where a chat has such columns.
    Column(String, usize),
    /// How much of something is done.
    Bar {
        /// So many.
        done: u32,
        /// Of so many.
        total: u32,
    },
    /// A link.
    Link {
        /// What is read.
        text: String,
        /// Where it leads.
        url: String,
    },
}

/// What a line is the state of, so that a chat which cannot edit tells it only when it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// Of what: a stack.
    pub of: String,
    /// In which state.
    pub state: String,
}

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// How deep it stands under the line above, from 0.
    pub indent: u8,
    /// Its pieces.
    pub spans: Vec<Span>,
    /// What it is the state of.
    pub watch: Option<Watch>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// For a colour.
    pub tone: Tone,
    /// The fact, in one line.
    pub title: String,
    /// The rest.
    pub lines: Vec<Line>,
    /// Commands that may come next, whole: to copy, or as buttons.
    pub next: Vec<String>,
    /// Several of one kind to choose from, where a chat has menus. Each can be typed as well, and nothing that destroys is in it.
    pub menu: Option<Menu>,
}

/// Commands of one kind, one of which may come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// What stands in its place until somebody opens it.
    pub label: &'static str,
    /// What each choice says, and the command that it stands for, whole.
    pub choices: Vec<(String, String)>,
}

impl Line {
    /// A line of these pieces.
    #[must_use]
    pub fn of(spans: impl IntoIterator<Item = Span>) -> Self {
        Self { spans: spans.into_iter().collect(), ..Self::default() }
    }

    /// A line of our own words, in which back quotes enclose code. Not for text of others, which may have back quotes.
    #[must_use]
    pub fn marked(text: &str) -> Self {
        let pieces = text.split('`').enumerate().filter(|(_, piece)| !piece.is_empty());
        Self::of(pieces.map(
            |(at, piece)| {
                if at % 2 == 1 { Span::Code(piece.to_owned()) } else { Span::Text(piece.to_owned()) }
            },
        ))
    }

    /// A line of plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::of([Span::Text(text.into())])
    }

    /// An empty line.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The same, deeper.
    #[must_use]
    pub fn indented(mut self, indent: u8) -> Self {
        self.indent = indent;
        self
    }

    /// The same with a further piece.
    #[must_use]
    pub fn and(mut self, span: Span) -> Self {
        self.spans.push(span);
        self
    }

    /// The same as the state of something.
    #[must_use]
    pub fn watching(mut self, of: impl Into<String>, state: impl Into<String>) -> Self {
        self.watch = Some(Watch { of: of.into(), state: state.into() });
        self
    }
}

impl Card {
    /// A card of one line.
    #[must_use]
    pub fn new(tone: Tone, title: impl Into<String>) -> Self {
        Self { tone, title: title.into(), lines: Vec::new(), next: Vec::new(), menu: None }
    }

    /// The same with a further line.
    #[must_use]
    pub fn line(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    /// The same with further lines.
    #[must_use]
    pub fn lines(mut self, lines: impl IntoIterator<Item = Line>) -> Self {
        self.lines.extend(lines);
        self
    }

    /// The same with a menu; without choices there is none.
    #[must_use]
    pub fn choose(mut self, label: &'static str, choices: Vec<(String, String)>) -> Self {
        self.menu = (!choices.is_empty()).then_some(Menu { label, choices });
        self
    }

    /// The same with a further command that may come next.
    #[must_use]
    pub fn next(mut self, command: impl Into<String>) -> Self {
        self.next.push(command.into());
        self
    }
}
