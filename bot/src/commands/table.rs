//! All commands in one table: what they are called, what they take, what they mean, who reads them.

use tidegate_runner::domain::command::{Command, CommandName};
use tidegate_runner::domain::refusal::Refusal;

use super::context::Context;
use super::{ask, audit, bend, book, busy, history, hold, hours, level, link, made, others, run, scale, schedule, why};

/// What stands right after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// Nothing.
    Nothing,
    /// The name of a command, if anything.
    Command,
    /// An environment that can be changed.
    Environment,
    /// An environment, if anything.
    AnyEnvironment,
    /// A run's number.
    Run,
    /// What somebody did: `stopped`.
    Deed,
    /// What is to be done with schedules: `add`.
    Schedules,
}

/// What may stand after that, in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A profile of the environment, or `off`.
    Level,
    /// `setting=value`.
    Setting,
    /// A stack.
    Stack,
    /// `by` and a person.
    Person,
    /// This word and a time.
    Moment(&'static str),
    /// This word.
    Keyword(&'static str),
    /// `action` and a command, or what else can happen.
    Action,
    /// An environment.
    AnyEnvironment,
}

/// A line that people can copy, and what it does.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The line.
    pub line: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// One command.
#[derive(Debug)]
pub struct Spec {
    /// Its name, which is also the name of the permission to run it.
    pub name: CommandName,
    /// How it is written.
    pub usage: &'static str,
    /// One line.
    pub summary: &'static str,
    /// The rest, in paragraphs without line breaks of their own.
    pub details: &'static [&'static str],
    /// Lines to copy; each is tested.
    pub examples: &'static [Example],
    /// What stands right after it.
    pub object: Object,
    /// What may follow.
    pub takes: &'static [Takes],
    /// Words that people type when they mean it. They are never taken for it, only answered with it.
    pub also: &'static [&'static str],
    pub(super) read: fn(&Context<'_>) -> Result<Command, Refusal>,
}

/// The command of this name.
#[must_use]
pub fn spec(name: CommandName) -> &'static Spec {
    // `every_command_is_in_the_table_in_the_order_of_help` holds this lookup to the table.
    TABLE.iter().find(|spec| spec.name == name).unwrap_or(&TABLE[0])
}

/// The command that a word is, in any case.
pub(super) fn find(word: &str) -> Option<&'static Spec> {
    let lower = word.to_lowercase();
    TABLE.iter().find(|spec| spec.name.as_str() == lower)
}

/// The command that a word of another program means.
pub(super) fn meant_by(word: &str) -> Option<&'static str> {
    let lower = word.to_lowercase();
    TABLE.iter().find(|spec| spec.also.contains(&lower.as_str())).map(|spec| spec.name.as_str())
}

const fn example(line: &'static str, meaning: &'static str) -> Example {
    Example { line, meaning }
}

/// All commands, in the order of `help`.
pub static TABLE: [Spec; 55] = [
    Spec {
        name: CommandName::Help,
        usage: "help [command]",
        summary: "what can be typed",
        details: &["Every refusal names the right command, ready to copy."],
        examples: &[example("help", "all commands, a line each"), example("help scale", "one command, with examples")],
        object: Object::Command,
        takes: &[],
        also: &["?", "man", "commands", "usage", "--help", "-h", "hello", "hi"],
        read: ask::read_help,
    },
    Spec {
        name: CommandName::Envs,
        usage: "envs",
        summary: "all environments, a line each",
        details: &[],
        examples: &[example("envs", "which environments there are, and where each stands")],
        object: Object::Nothing,
        takes: &[],
        also: &["ls", "environments", "env"],
        read: ask::read_envs,
    },
    Spec {
        name: CommandName::Status,
        usage: "status [env|@group]",
        summary: "where an environment should be, and where it is",
        details: &[
            "Shows the level that is wanted and the one last verified, stack by stack; the settings; and the runs that work or wait.",
            "`@rpg` stands for the environments of that group, with what is being done to them together.",
        ],
        examples: &[example("status", "all environments"), example("status shop", "one, in full")],
        object: Object::AnyEnvironment,
        takes: &[],
        also: &["st", "state", "info"],
        read: ask::read_status,
    },
    Spec {
        name: CommandName::Up,
        usage: "up ENV|@GROUP [profile] [code] [setting=value ...] [for SPAN|until TIME] [because reason ...]",
        summary: "raise an environment",
        details: &[
            "Without a profile it goes to the environment's usual one. Settings count over the profile, for as long as the level lasts.",
            "`code` takes newer code than the commit that was last accepted.",
            "With `for` or `until` it goes back by itself: to what the schedules then ask for, or without any to where it rests. Without, it holds until the schedules' next transition; the answer says until when.",
            "An `up` that would lower something is refused, with both commands to choose from.",
            "A group is changed one environment first, then up to four at a time; the first that does not succeed stops it. `cancel @GROUP` stops it too.",
        ],
        examples: &[
            example("up shop", "to its usual profile"),
            example("up shop small", "to the profile small"),
            example(
                "up shop slaves=40 because Black Friday rehearsal",
                "with 40 slaves, and the reason for the record",
            ),
            example("up shop full code", "with the newest code"),
            example("up shop full for 3h", "for three hours, and back"),
        ],
        object: Object::Environment,
        takes: &[Takes::Level, Takes::Keyword("code"), Takes::Setting, Takes::Moment("for"), Takes::Moment("until")],
        also: &["start", "raise", "create", "apply", "deploy", "launch", "boot"],
        read: level::read_up,
    },
    Spec {
        name: CommandName::Down,
        usage: "down ENV|@GROUP [profile|off] [anyway] [for SPAN|until TIME] [because reason ...]",
        summary: "lower an environment",
        details: &[
            "Without a profile it goes to the environment's usual low level.",
            "`off` destroys the stacks that may be destroyed, and lowers the others as far as they go.",
            "`anyway`, with a reason, goes against somebody's `keep`, who is told.",
        ],
        examples: &[
            example("down shop", "to its usual low level"),
            example("down shop off because the test is over", "destroys what may be destroyed"),
            example("down shop anyway because nobody answers", "although somebody keeps it"),
        ],
        object: Object::Environment,
        takes: &[Takes::Level, Takes::Keyword("anyway"), Takes::Moment("for"), Takes::Moment("until")],
        also: &["lower", "shutdown", "sleep"],
        read: level::read_down,
    },
    Spec {
        name: CommandName::Scale,
        usage: "scale ENV|@GROUP setting=value ... [for SPAN|until TIME] [because reason ...]",
        summary: "change sizes, keep the level",
        details: &[
            "`=` sets, `+=` adds, `-=` subtracts, `*=` multiplies. What is relative is worked out when the command is accepted, counting the runs queued ahead.",
            "Only the stacks of the settings named are planned.",
        ],
        examples: &[
            example("scale shop slaves=40", "40 slaves"),
            example("scale shop slaves+=10", "ten more than now"),
            example("scale shop slaves-=5 servers=2", "two settings at once"),
            example("scale shop slaves*=2", "twice as many"),
        ],
        object: Object::Environment,
        takes: &[Takes::Setting, Takes::Moment("for"), Takes::Moment("until")],
        also: &["set", "resize", "size"],
        read: scale::read_scale,
    },
    Spec {
        name: CommandName::Plan,
        usage: "plan ENV|@GROUP|all [profile] [code] [setting=value ...] [because reason ...]",
        summary: "show what would be done, and do nothing",
        details: &[
            "Without a profile it is about the present level.",
            "Of a group, or of all, the end is one line that counts the plans by what they would do: `36 nothing, 3 replace, 1 error`.",
        ],
        examples: &[
            example("plan shop full", "what `up shop full` would do"),
            example("plan shop slaves=40", "what 40 slaves would change"),
            example("plan shop code", "what newer code would change"),
            example("plan shop off", "what `down shop off` would take away"),
        ],
        object: Object::Environment,
        takes: &[Takes::Level, Takes::Keyword("code"), Takes::Setting],
        also: &["preview", "diff", "dry-run", "whatif"],
        read: level::read_plan,
    },
    Spec {
        name: CommandName::Drift,
        usage: "drift ENV [because reason ...]",
        summary: "look what others changed by hand, and change nothing",
        details: &[
            "Compares what exists with what the Terraform states say: what was changed, what is gone, how big groups are. Also looks for what carries the environment's tags and stands in no state, as `sweep` does.",
            "What was found is adopted or repaired: `adopt` takes it into the states; the `up` that the answer offers brings everything back. `drift = \"03:00\"` of an environment looks each night, and tells what is new once.",
        ],
        examples: &[example("drift shop", "what is not as it was applied")],
        object: Object::Environment,
        takes: &[],
        also: &["drifts", "drifted", "refresh"],
        read: others::read_drift,
    },
    Spec {
        name: CommandName::Adopt,
        usage: "adopt ENV [because reason ...]",
        summary: "take what others changed by hand into the Terraform states",
        details: &[
            "Shows first what would be taken, and waits for `approve`. Nothing that exists is changed by it. What the code says otherwise is changed back by the next run: a size that shall stay is said with `scale`, anything else in the code.",
        ],
        examples: &[example("adopt shop", "shows what others changed, and asks")],
        object: Object::Environment,
        takes: &[],
        also: &["reconcile"],
        read: others::read_adopt,
    },
    Spec {
        name: CommandName::Sweep,
        usage: "sweep ENV [remove] [because reason ...]",
        summary: "look for what no Terraform state knows",
        details: &[
            "Asks AWS what carries the tags `tidegate:environment` and `tidegate:stack`, and tells what stands in no state of the environment: what a killed apply left behind. The answer has the lines by which it is taken into the code, or removed by hand. Without `remove` it removes nothing.",
            "`remove` shows what of it Tidegate would delete, and why the rest stays, and waits for `approve`. It takes `remove_in` of the environment.",
        ],
        examples: &[
            example("sweep shop", "what is paid for and nobody knows of"),
            example("sweep shop remove", "shows what would be deleted, and asks"),
        ],
        object: Object::Environment,
        takes: &[Takes::Keyword("remove")],
        also: &["orphans", "strays", "leftovers"],
        read: others::read_sweep,
    },
    Spec {
        name: CommandName::Preflight,
        usage: "preflight ENV [because reason ...]",
        summary: "look whether anything stands in the way of a change, and change nothing",
        details: &[
            "Looks at each stack: is it ready for Terraform, does AWS take its credentials and until when, who holds its state lock and since when, is there room on the disk.",
            "Where schedules raise it within a day: does a plan for that work, and is the quota of AWS enough.",
            "`preflight = \"30m\"` of an environment looks so long before its schedules raise it, and tells what is wrong once.",
        ],
        examples: &[example("preflight shop", "before a big test")],
        object: Object::Environment,
        takes: &[],
        also: &["precheck", "locks"],
        read: others::read_preflight,
    },
    Spec {
        name: CommandName::Terraform,
        usage: "terraform ENV/STACK -- ARGS",
        summary: "give Terraform a command by hand; only by the command line, `tidegate terraform`",
        details: &[
            "With the stack's workspace, variables, backend, lock and place in the queue as in Tidegate's own runs, and kept in the audit. Looks: `plan`, `output`, `show`, `state list`, `state show ADDRESS`, `providers`, `validate`. Changes, after a yes: `apply [-replace=ADDRESS] [-refresh-only]`, `import ADDRESS ID`, `state mv FROM TO`, `state rm ADDRESS ...`.",
            "Nothing else is taken: no variables, no `-target`, no `-auto-approve`, nothing that shows secrets in clear.",
        ],
        examples: &[],
        object: Object::Nothing,
        takes: &[],
        also: &["tf", "tofu", "byhand"],
        read: others::read_terraform,
    },
    Spec {
        name: CommandName::Destroy,
        usage: "destroy ENV|@GROUP [because reason ...]",
        summary: "take everything away that is not protected",
        details: &[
            "Shows first what would go, by name, and waits for `approve`.",
            "Of a group each environment shows that by itself and waits for a yes of its own: the first alone, then up to four; a no stops it. `all` is not taken.",
        ],
        examples: &[example("destroy shop because the project has ended", "shows what would go, and asks")],
        object: Object::Environment,
        takes: &[],
        also: &["delete", "remove", "rm", "terminate"],
        read: scale::read_destroy,
    },
    Spec {
        name: CommandName::New,
        usage: "new NAME from TEMPLATE [for SPAN|until TIME] [because reason ...]",
        summary: "make an environment for one test, and raise it",
        details: &[
            "Whoever makes it owns it. It lives as long as its template says, or as long as the line says, and then is destroyed without a question; its end is told an hour and 15 minutes before.",
            "It is an environment like any other: `status`, `scale`, `down` and all else work on it. Its template is in the configuration, under `[templates.NAME]`.",
        ],
        examples: &[
            example("new lt-login from loadtest", "for as long as the template says"),
            example("new lt-login from loadtest for 8h because login spike", "for eight hours"),
        ],
        object: Object::Nothing,
        takes: &[Takes::Keyword("from"), Takes::Moment("for"), Takes::Moment("until")],
        also: &["make", "spawn", "provision"],
        read: made::read_new,
    },
    Spec {
        name: CommandName::Extend,
        usage: "extend ENV SPAN [because reason ...]",
        summary: "let what was made with `new` live longer",
        details: &["At most as long after it was made as its template allows."],
        examples: &[example("extend shop 2h", "two hours longer")],
        object: Object::Environment,
        takes: &[],
        also: &["prolong", "postpone"],
        read: made::read_extend,
    },
    Spec {
        name: CommandName::End,
        usage: "end ENV [anyway] [because reason ...]",
        summary: "destroy what was made with `new`, now",
        details: &[
            "Without a further question. While a run is not over, or a test runs in it as its template's `busy` says, it is refused. `anyway`, with a reason, ends it under that test. What its template keeps stays; workspaces and local state files go with the rest, and then its name and its addresses are free again.",
        ],
        examples: &[
            example("end shop because the test is over", "destroys it"),
            example("end shop anyway because it hangs", "although a test runs in it"),
        ],
        object: Object::Environment,
        takes: &[Takes::Keyword("anyway")],
        also: &["dispose", "dismantle", "teardown"],
        read: made::read_end,
    },
    Spec {
        name: CommandName::List,
        usage: "list new|bookings [ENV|@GROUP]",
        summary: "what was made with `new` and is there, or what is booked",
        details: &[
            "`list new`: from the moment that it is accepted until nothing of it is left, with template, maker, end, addresses.",
            "`list bookings`: what is not over, of all environments or of one.",
        ],
        examples: &[example("list new", "each with its end"), example("list bookings shop", "when shop is booked")],
        object: Object::Nothing,
        takes: &[Takes::Keyword("new"), Takes::Keyword("bookings")],
        also: &["made", "bookings"],
        read: made::read_list,
    },
    Spec {
        name: CommandName::Renew,
        usage: "renew ENV [take] [because reason ...]",
        summary: "what its template says by now",
        details: &[
            "What was made keeps the template as it was then. This tells what is different now; `take` takes it and plans it, and the next `up` brings it.",
        ],
        examples: &[example("renew shop", "what is different"), example("renew shop take", "take it, and plan it")],
        object: Object::Environment,
        takes: &[Takes::Keyword("take")],
        also: &["upgrade"],
        read: made::read_renew,
    },
    Spec {
        name: CommandName::Undo,
        usage: "undo ENV [because reason ...]",
        summary: "back to what was before the last change",
        details: &["Shows first what would change, and waits for `approve`."],
        examples: &[example("undo shop", "shows the way back, and asks")],
        object: Object::Environment,
        takes: &[],
        also: &["rollback", "revert", "restore", "back"],
        read: scale::read_undo,
    },
    Spec {
        name: CommandName::Cancel,
        usage: "cancel [run|@GROUP|all] [force] [because reason ...]",
        summary: "stop a run",
        details: &[
            "Without a number it lists the runs that are not over. Terraform is asked to stop, writes its state and frees its lock.",
            "`force`, after that, kills it: what it is just making may then exist without Terraform knowing it.",
            "`@GROUP`, or `all`, stops a change or a plan of many: nothing more of it is begun, and each of its runs is asked to stop.",
        ],
        examples: &[
            example("cancel 812", "ask run 812 to stop"),
            example("cancel", "lists the runs that are not over"),
            example("cancel 812 force", "kill it"),
        ],
        object: Object::Run,
        takes: &[Takes::Keyword("force")],
        also: &["abort", "kill", "interrupt", "halt"],
        read: run::read_cancel,
    },
    Spec {
        name: CommandName::Retry,
        usage: "retry RUN [because reason ...]",
        summary: "do an ended run again",
        details: &["Makes a new run that is linked to the old one, and goes on where that one failed."],
        examples: &[example("retry 812", "once more what run 812 was for")],
        object: Object::Run,
        takes: &[],
        also: &["rerun", "again", "redo", "repeat"],
        read: run::read_retry,
    },
    Spec {
        name: CommandName::Accept,
        usage: "accept RUN [because reason ...]",
        summary: "take a partial or failed run as it is",
        details: &["How the run ended stays as it is; the history says who took it so, and why."],
        examples: &[example("accept 812 because 37 slaves are enough today", "leave it at that")],
        object: Object::Run,
        takes: &[],
        also: &["take", "ack"],
        read: run::read_accept,
    },
    Spec {
        name: CommandName::Approve,
        usage: "approve RUN [CODE] [alone] [because reason ...]",
        summary: "say yes to what a run asks",
        details: &[
            "The yes is to the changes that were shown. If they are others by then, it asks again.",
            "Where a run asks anew, its card shows a code, and the yes needs it: without one, the yes could be to what was shown before.",
            "Where a rule wants the yes of others, whoever asked cannot say it, unless the rule says so. `alone`, with a reason, does without the others where the rule allows it, after the time that it gives them; they are told.",
        ],
        examples: &[
            example("approve 812", "go on"),
            example("approve 812 3f2a", "where it asked anew"),
            example("approve 812 alone because nobody else is awake", "without the others, who are told"),
        ],
        object: Object::Run,
        takes: &[Takes::Keyword("alone")],
        also: &["yes", "ok", "confirm", "lgtm"],
        read: run::read_approve,
    },
    Spec {
        name: CommandName::Reject,
        usage: "reject RUN [because reason ...]",
        summary: "say no to it",
        details: &["The run ends, and nothing of what it asked for is done."],
        examples: &[example("reject 812 because the database would go", "no, and why")],
        object: Object::Run,
        takes: &[],
        also: &["no", "deny", "decline"],
        read: run::read_reject,
    },
    Spec {
        name: CommandName::Recover,
        usage: "recover RUN [unlock] [because reason ...]",
        summary: "find out what became of a run that nobody saw end",
        details: &[
            "Looks at state and lock, and ends the run as what is true. A state that its apply could not save, and left beside the code, is saved.",
            "`unlock` also breaks the state lock of the run's own apply: taken by an apply, on its machine, by its user, while it applied. Any other is of somebody else, and stays.",
        ],
        examples: &[example("recover 812", "look"), example("recover 812 unlock", "look, and break its lock")],
        object: Object::Run,
        takes: &[Takes::Keyword("unlock")],
        also: &["unlock", "repair", "fix"],
        read: run::read_recover,
    },
    Spec {
        name: CommandName::Hold,
        usage: "hold ENV|@GROUP until TIME|for SPAN [only @who ...] because reason ...",
        summary: "nobody else changes an environment for a while",
        details: &[
            "It always ends: at most 7 days from now. Times are local: `22:00`, `10pm`, `2h30m`, `tomorrow 9:00`, `fri 18:00`, `12-24 18:00`, `2026-11-21 09:00`, `明日9時`, on your clock or that of a zone behind them, `22:00 Europe/Berlin`. A bare day counts to its end.",
            "Whoever is named after `only` may go on. What is being applied goes on; runs of others that wait are refused when their turn comes.",
        ],
        examples: &[
            example("hold shop until 22:00 because the rehearsal runs", "until ten in the evening"),
            example("hold shop for 2h only @sato @mori because we measure", "sato and mori may go on"),
        ],
        object: Object::Environment,
        takes: &[Takes::Moment("until"), Takes::Keyword("for"), Takes::Keyword("only")],
        also: &["reserve", "lock", "claim"],
        read: hold::read_hold,
    },
    Spec {
        name: CommandName::Unhold,
        usage: "unhold ENV|@GROUP [number] [because reason ...]",
        summary: "lift a hold or a keep",
        details: &["Your own; owners of an environment also lift those of others, who are told."],
        examples: &[example("unhold shop", "yours, or the only one"), example("unhold shop 3", "hold 3")],
        object: Object::Environment,
        takes: &[],
        also: &["unreserve", "unclaim", "unkeep", "release"],
        read: hold::read_unhold,
    },
    Spec {
        name: CommandName::Freeze,
        usage: "freeze all until TIME|for SPAN [only @who ...] because reason ...",
        summary: "nobody else changes any environment for a while",
        details: &["For admins. As `hold`, of all environments."],
        examples: &[example("freeze all until tomorrow 9:00 because the release is tonight", "until the morning")],
        object: Object::Nothing,
        takes: &[Takes::Keyword("all"), Takes::Moment("until"), Takes::Keyword("for"), Takes::Keyword("only")],
        also: &[],
        read: hold::read_freeze,
    },
    Spec {
        name: CommandName::Unfreeze,
        usage: "unfreeze [all] [because reason ...]",
        summary: "lift the freeze",
        details: &["For admins."],
        examples: &[example("unfreeze all", "everything can be changed again")],
        object: Object::Nothing,
        takes: &[Takes::Keyword("all")],
        also: &["thaw"],
        read: hold::read_unfreeze,
    },
    Spec {
        name: CommandName::Keep,
        usage: "keep ENV|@GROUP until TIME|for SPAN [because reason ...]",
        summary: "nobody else lowers an environment for a while",
        details: &[
            "Others may still raise it. Your own `down`, or whatever else of yours lowers it, ends your keep; somebody else's is refused, unless they say `down ENV anyway because ...`: then you are told.",
            "Said again, it has another end. `unhold` lifts it. Times are as in `hold`.",
        ],
        examples: &[
            example("keep shop until 22:00", "it stays up until ten"),
            example("keep shop for 2h because the soak test is late", "two hours more"),
        ],
        object: Object::Environment,
        takes: &[Takes::Moment("until"), Takes::Keyword("for")],
        also: &["stay"],
        read: hold::read_keep,
    },
    Spec {
        name: CommandName::Book,
        usage: "book ENV|@GROUP [profile] [setting=value ...] WHEN [only @who ...] because reason ...",
        summary: "an environment at a profile, for a time that lies ahead, and nobody else changes it then",
        details: &[
            "It is raised as it begins, and afterwards the schedules say again; without any it goes to what `down` means, and where it was off before, it is off again. Whoever is named after `only` may change it meanwhile.",
            "At most 7 days, within the next 90. Times are local, as in `hold`: `fri 22:00-02:00`, `12-24 18:00 for 4h`, `2026-11-27 22:00 until 2026-11-28 02:00`. What is booked already is refused with what is free.",
            "A group is booked as a whole, or not at all.",
        ],
        examples: &[
            example(
                "book shop full fri 22:00-02:00 only @sato @mori because rehearsal",
                "on the next Friday, over midnight",
            ),
            example("book shop full slaves=40 tomorrow 9:00 for 3h because the login spike", "with 40 slaves"),
        ],
        object: Object::Environment,
        takes: &[Takes::Level, Takes::Setting, Takes::Keyword("only"), Takes::Keyword("until"), Takes::Keyword("for")],
        also: &["booking"],
        read: book::read_book,
    },
    Spec {
        name: CommandName::Unbook,
        usage: "unbook ENV|@GROUP [number] [because reason ...]",
        summary: "take a booking back, or end it",
        details: &[
            "Your own; owners of an environment also take back those of others, who are told. `list bookings` tells the numbers.",
        ],
        examples: &[example("unbook shop", "yours, or the only one"), example("unbook shop 12", "booking 12")],
        object: Object::Environment,
        takes: &[],
        also: &[],
        read: book::read_unbook,
    },
    Spec {
        name: CommandName::Skip,
        usage: "skip ENV|@GROUP|all [next|tonight|next week|DAY|DAY..DAY] [because reason ...]",
        summary: "leave out what the schedules would do",
        details: &[
            "Without more it is what `next` shows first; within 15 minutes after it went down that is asked about, as the one that has passed may be meant, and `skip ENV next` says it. `tonight` is everything from six in the evening until six in the morning; a day, or several, is everything that begins on it: what began before ends as it is written.",
            "What was wanted before stays wanted. `unpause` takes it back; `next` shows what is left.",
        ],
        examples: &[
            example("skip shop", "what comes next does not"),
            example("skip shop tonight", "it stays up tonight"),
            example("skip shop 2026-12-24", "one day"),
            example("skip all 12-29..01-03 because the company is closed", "several days, everywhere"),
        ],
        object: Object::Environment,
        takes: &[Takes::Keyword("next"), Takes::Keyword("tonight"), Takes::Keyword("tomorrow")],
        also: &["omit"],
        read: bend::read_skip,
    },
    Spec {
        name: CommandName::Pause,
        usage: "pause ENV|@GROUP until TIME|for SPAN [because reason ...]",
        summary: "let the schedules ask for nothing for a while",
        details: &[
            "What was wanted when it begins stays wanted; when it ends the environment goes to what the schedules then ask for. People may change it meanwhile: what they ask for with an end goes back to what the schedules asked for as it began.",
            "A day alone is over when it begins: `until monday` lets Monday be as it is written. Said again, it has another end; `unpause` ends it.",
        ],
        examples: &[
            example("pause shop until monday", "over the weekend"),
            example("pause shop for 24h because we debug", "for a day"),
        ],
        object: Object::Environment,
        takes: &[Takes::Moment("until"), Takes::Keyword("for")],
        also: &["suspend", "disable"],
        read: bend::read_pause,
    },
    Spec {
        name: CommandName::Unpause,
        usage: "unpause ENV|@GROUP|all [number|all] [because reason ...]",
        summary: "let the schedules count again",
        details: &[
            "Ends a pause, and takes back what is skipped and lies ahead. The environment goes to what the schedules ask for now. `resume ENV` is the same. `unpause all` does it wherever something is paused or skipped.",
            "With a number, or `all`, an admin takes away what bends or was added to them and cannot be read: `status` tells which.",
        ],
        examples: &[
            example("unpause shop", "as it is written"),
            example("resume shop", "the same"),
            example("unpause all", "everywhere"),
        ],
        object: Object::Environment,
        takes: &[],
        also: &["unskip", "enable"],
        read: bend::read_unpause,
    },
    Spec {
        name: CommandName::Queue,
        usage: "queue [env]",
        summary: "who has an environment, and who waits for it",
        details: &["In order, with about how long, if those ahead take as long as last time."],
        examples: &[example("queue", "all environments"), example("queue shop", "one")],
        object: Object::AnyEnvironment,
        takes: &[],
        also: &["waiting", "jobs"],
        read: busy::read_queue,
    },
    Spec {
        name: CommandName::Next,
        usage: "next [env|@group|all] [from TIME] [days]",
        summary: "what the schedules will do",
        details: &[
            "Each moment at which another level will be wanted: its local time and zone, how far away it is, why, and what a clock change or a holiday has to do with it.",
            "Without an environment, or with `all`, all that have schedules, each with the first four; without days, `7d`. `from` a day or a time that lies ahead looks from there on; the longest is 366 days ahead, and as many from there.",
        ],
        examples: &[
            example("next", "the next seven days of all environments"),
            example("next shop 30d", "a month of one"),
            example("next shop from 12-24 14d", "the end of the year"),
        ],
        object: Object::AnyEnvironment,
        takes: &[Takes::Moment("from")],
        also: &["upcoming", "calendar", "agenda"],
        read: busy::read_next,
    },
    Spec {
        name: CommandName::Schedule,
        usage: "schedule list [env] | show ENV NAME | add|change ENV NAME key=value ... | remove ENV NAME [because reason ...]",
        summary: "the schedules of environments",
        details: &[
            "The keys are those of `[[environments.ENV.schedules]]` in the configuration, with the same checks: `window` with `inside` and `outside`; `cron` or `at` with `do` and `for`; `zone`, `holidays`, `on_gap`, `on_overlap`, `catch_up`, `warn`, `ready_by`, `tell`. Values of several words stand in quotes.",
            "A window is like `Mon-Fri 09:00-21:00`, `daily 22:00-06:00`, `Fri 20:00 - Mon 08:00`, `1st,3rd Mon 09:00-12:00`, `2026-12-24 09:00 - 2027-01-03 18:00`, `Mon-Fri 09:00-` or `Mon-Fri -21:00`; `cron` has five fields; `at` is a date and a time, or what `hold` takes, like `tomorrow 9:00`.",
            "`change` names only the keys that change; `key=` takes one out. The configuration's own schedules are changed there.",
            "Who adds, changes or removes one needs the right to `up` and to `down` the environment, too.",
        ],
        examples: &[
            example("schedule list", "all schedules, and who added them"),
            example("schedule show shop late shift", "one, in full"),
            example(
                "schedule add shop \"late shift\" window=\"Mon-Fri 13:00-23:00\" inside=full outside=small because of the late tests",
                "full in the evenings of working days",
            ),
            example(
                "schedule add shop rehearsal at=\"2026-12-24 18:00\" do=\"up full slaves=5\" for=3h",
                "once, for three hours",
            ),
            example("schedule change shop \"late shift\" window=\"Mon-Thu 13:00-23:00\"", "no more on Fridays"),
            example("schedule remove shop \"late shift\"", "it is no more"),
        ],
        object: Object::Schedules,
        takes: &[Takes::AnyEnvironment],
        also: &["schedules", "cron", "crontab", "timer"],
        read: schedule::read_schedule,
    },
    Spec {
        name: CommandName::On,
        usage: "on",
        summary: "what is raised now",
        details: &[
            "The longest on first: since when, by whose change, why, and when it is to be lowered. What is in doubt counts as raised.",
        ],
        examples: &[example("on", "all environments that are raised")],
        object: Object::Nothing,
        takes: &[],
        also: &["raised", "running"],
        read: hours::read_on,
    },
    Spec {
        name: CommandName::Handover,
        usage: "handover",
        summary: "what whoever takes over has to know: exceptions only",
        details: &[
            "Environments that are elsewhere than their schedules ask for, held, kept or paused, in doubt, ended badly by their last change, waiting for a yes, lowered within the hour, or not managed. What is as it should be is not told.",
        ],
        examples: &[example("handover", "what is out of the ordinary now")],
        object: Object::Nothing,
        takes: &[],
        also: &["shift", "exceptions", "takeover"],
        read: ask::read_handover,
    },
    Spec {
        name: CommandName::Hours,
        usage: "hours ENV|@GROUP|all [month] [by person]",
        summary: "how long it was at which level, and what that saved",
        details: &[
            "From what was done, never from what was wanted; against always being where `up` brings it. In money, too, where profiles have a `rate`.",
            "A month is written like `2026-11`, `november`, `nov 2025` or `last month`, and lies in the environment's zone; without one, it is the present month until now.",
            "`by person` tells whose changes account for it: hours are whose change was the last.",
        ],
        examples: &[
            example("hours shop", "the present month"),
            example("hours all last month", "all environments, and their sums"),
            example("hours shop november by person", "and by whose change"),
        ],
        object: Object::AnyEnvironment,
        takes: &[Takes::Keyword("by")],
        also: &["cost", "costs", "saved"],
        read: hours::read_hours,
    },
    Spec {
        name: CommandName::Leave,
        usage: "leave [run] [because reason ...]",
        summary: "take a run of yours out of the queue",
        details: &["Without a number it is the only one of yours that waits. `queue leave 812` is the same."],
        examples: &[example("leave 812", "run 812 is not wanted any more"), example("queue leave 812", "the same")],
        object: Object::Run,
        takes: &[],
        also: &["dequeue", "unqueue"],
        read: busy::read_leave,
    },
    Spec {
        name: CommandName::Ask,
        usage: "ask ENV|RUN question ...",
        summary: "put a question to whoever has it",
        details: &["To whoever asked for the run that has the environment, and to whoever holds or keeps it."],
        examples: &[
            example("ask shop \"can I have it at 15:00?\"", "whoever has shop reads it"),
            example("ask 812 when will it be done?", "whoever asked for run 812 reads it"),
        ],
        object: Object::Environment,
        takes: &[],
        also: &["ping", "poke"],
        read: busy::read_ask,
    },
    Spec {
        name: CommandName::Tell,
        usage: "tell [me when free] ENV",
        summary: "be told once an environment is free",
        details: &["Once, within 12 hours: when no run has it or waits for it, and nobody holds it against you."],
        examples: &[
            example("tell me when free shop", "one message when you can have it"),
            example("tell shop", "the same"),
        ],
        object: Object::Environment,
        takes: &[],
        also: &["notify", "remind"],
        read: busy::read_tell,
    },
    Spec {
        name: CommandName::Stop,
        usage: "stop everything [because reason ...]",
        summary: "stop every run, and let nothing begin",
        details: &[
            "For admins, in an emergency. Every run is asked to stop as by `cancel`, the queue is emptied, and whoever asked is told. Nothing that changes anything begins until `resume everything`, also after a restart. Said again, it asks again what still runs.",
        ],
        examples: &[example("stop everything because the bill explodes", "all of it, now")],
        object: Object::Nothing,
        takes: &[Takes::Keyword("everything")],
        also: &["panic", "emergency"],
        read: busy::read_stop,
    },
    Spec {
        name: CommandName::Resume,
        usage: "resume everything|ENV [because reason ...]",
        summary: "let things begin again after a stop",
        details: &[
            "For admins. What was stopped does not begin by itself: whoever wants it asks again.",
            "With an environment it is `unpause`; what is paused or skipped everywhere counts again by `unpause all`.",
        ],
        examples: &[example("resume everything", "runs are accepted again")],
        object: Object::Nothing,
        takes: &[Takes::Keyword("everything")],
        also: &["continue"],
        read: busy::read_resume,
    },
    Spec {
        name: CommandName::Show,
        usage: "show RUN",
        summary: "one run, whole",
        details: &["Every change by name, with which code, versions and variables."],
        examples: &[example("show 812", "everything about run 812"), example("show #812", "the same")],
        object: Object::Run,
        takes: &[],
        also: &["describe", "run", "details", "view"],
        read: run::read_show,
    },
    Spec {
        name: CommandName::Log,
        usage: "log RUN [stack]",
        summary: "what Terraform said in a run",
        details: &[],
        examples: &[example("log 812", "all stacks"), example("log 812 jmeter", "one stack")],
        object: Object::Run,
        takes: &[Takes::Stack],
        also: &["logs", "tail", "output"],
        read: run::read_log,
    },
    Spec {
        name: CommandName::History,
        usage: "history [env|@GROUP] [by @who] [since time] [until time] [failed] [page number]",
        summary: "what happened, newest first",
        details: &[
            "The words may stand in any order. Times are local: `7d`, `12h`, `30m`, `2w` ago; `2026-11-20`, `2026-11-20T09:00`, `09:00`, `today`, `yesterday`. `until` a date includes that day.",
        ],
        examples: &[
            example("history", "the latest runs"),
            example("history shop since 7d", "a week of one environment"),
            example("history by @ito failed", "what went wrong for ito"),
            example("history by me since 2026-11-01 until 2026-11-20", "mine, in a span of days"),
            example("history shop page 2", "older ones"),
        ],
        object: Object::AnyEnvironment,
        takes: &[
            Takes::Person,
            Takes::Moment("since"),
            Takes::Moment("until"),
            Takes::Keyword("failed"),
            Takes::Keyword("page"),
        ],
        also: &["runs"],
        read: history::read_history,
    },
    Spec {
        name: CommandName::Audit,
        usage: "audit [env] [by @who] [since time] [until time] [action word] [failed] [\"words\"] [before entry] [page number] [as csv|json]",
        summary: "who did what, what was decided and why, newest first",
        details: &[
            "Every order is there, also what was refused and what was not understood; beside them what happened to runs (`ask`, `expire`, `lose`, `end`), to the configuration (`configure`) and to Tidegate itself (`start`, `stop`, `prune`).",
            "`failed` is what was refused, not understood, or did not end well. Words in quotes are looked for in what was typed and in reasons. Times are as in `history`.",
            "Each page offers the next one as `before` an entry, which stays the same page while entries are added.",
            "`as csv` and `as json` give all that fits as a file, oldest first: into the thread, or in a terminal into the folder that it was started in. `tidegate audit` on the command line exports any number, verifies and prunes.",
        ],
        examples: &[
            example("audit", "the latest entries"),
            example("audit shop since 7d", "a week of one environment"),
            example("audit shop by @ito action destroy", "what ito destroyed, or wanted to"),
            example("audit failed since yesterday", "what was refused or went wrong"),
            example("audit \"black friday\"", "entries with these words"),
            example("audit shop before 1234", "older ones than entry 1234"),
            example("audit shop since 30d as csv", "a month of it for a spreadsheet"),
        ],
        object: Object::AnyEnvironment,
        takes: &[
            Takes::Person,
            Takes::Moment("since"),
            Takes::Moment("until"),
            Takes::Action,
            Takes::Keyword("failed"),
            Takes::Keyword("before"),
            Takes::Keyword("page"),
            Takes::Keyword("as"),
        ],
        also: &["trail", "events"],
        read: audit::read_audit,
    },
    Spec {
        name: CommandName::Who,
        usage: "who raised|stopped|changed ENV",
        summary: "who did it last, when and why",
        details: &[
            "`stopped` is lowered, destroyed or cancelled. The answer has the run and the reason that was given.",
        ],
        examples: &[
            example("who stopped shop", "who lowered, destroyed or cancelled it last"),
            example("who raised shop", "who raised it last"),
            example("who changed shop", "who did any of that"),
        ],
        object: Object::Deed,
        takes: &[Takes::AnyEnvironment],
        also: &["who-did", "blame", "whodunit"],
        read: audit::read_who,
    },
    Spec {
        name: CommandName::Whoami,
        usage: "whoami",
        summary: "who Tidegate takes you for, and what you may do",
        details: &[],
        examples: &[example("whoami", "your id and your environments")],
        object: Object::Nothing,
        takes: &[],
        also: &["me", "id"],
        read: ask::read_whoami,
    },
    Spec {
        name: CommandName::Link,
        usage: "link [CODE|list]",
        summary: "say that your ids in two chats, or in a chat and the terminal, are one person",
        details: &[
            "`link` gives a code that only you see; say `link CODE` within 10 minutes from your other id. Then both count as one person: nobody says yes to what they asked for from the other chat, and what you asked for, hold or keep is yours from both. It gives no rights: each id may what it may.",
            "A code is for one use. After five wrong ones no more are taken from you for an hour.",
            "`link list` tells yours; admins see all. Whom the configuration names under `[people]` is known without.",
        ],
        examples: &[
            example("link", "a code, for you alone"),
            example("link 7k3f-92mx", "said from your other id"),
            example("link list", "who is one person with whom"),
        ],
        object: Object::Nothing,
        takes: &[],
        also: &["connect", "pair", "links"],
        read: link::read_link,
    },
    Spec {
        name: CommandName::Unlink,
        usage: "unlink [id|number]",
        summary: "take a link back",
        details: &[
            "Without more it ends the links of the id that you say it from. With an id, or the number that `link list` tells, it ends those: your own, and of admins anybody's.",
            "For 90 days after it the two still do not count as two people for a yes.",
        ],
        examples: &[
            example("unlink", "your own links"),
            example("unlink discord:80351110224678912", "those of this id"),
            example("unlink 3", "one of them"),
        ],
        object: Object::Nothing,
        takes: &[],
        also: &["disconnect", "unpair"],
        read: link::read_unlink,
    },
    Spec {
        name: CommandName::Why,
        usage: "why [can't] [I|@who] COMMAND [env|run]",
        summary: "who may do what, by which line of the configuration",
        details: &["Without an environment it tells of all. It says who can lift what is in the way."],
        examples: &[
            example("why can't I down shop", "the rule, where it is written, and who can lift it"),
            example("why can @ito destroy shop", "the same about somebody else"),
            example("why can't I approve 812", "about a question that is open"),
        ],
        object: Object::Command,
        takes: &[],
        also: &["access", "permissions", "rights", "roles"],
        read: why::read_why,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_in_the_table_in_the_order_of_help() {
        let names: Vec<_> = TABLE.iter().map(|spec| spec.name).collect();
        assert_eq!(names, CommandName::ALL);
        for name in CommandName::ALL {
            assert_eq!(spec(name).name, name);
        }
    }

    #[test]
    fn the_words_of_commands_are_refused_as_names_in_the_configuration() {
        let words = TABLE.iter().flat_map(|spec| spec.takes).filter_map(|takes| match takes {
            Takes::Moment(word) | Takes::Keyword(word) => Some(*word),
            Takes::Person => Some("by"),
            Takes::Level => Some("off"),
            Takes::Action => Some("action"),
            Takes::Setting | Takes::Stack | Takes::AnyEnvironment => None,
        });
        for word in words.chain(["because", "me", "run", "now", "today", "yesterday"]) {
            assert!(tidegate_runner::domain::grammar::meaning(word).is_some(), "{word}");
        }
    }

    #[test]
    fn a_word_means_at_most_one_command_and_none_that_exists() {
        let mut seen = std::collections::BTreeSet::new();
        for word in TABLE.iter().flat_map(|spec| spec.also) {
            assert!(seen.insert(word), "{word} is listed twice");
            assert!(find(word).is_none(), "{word} is a command");
        }
    }
}
