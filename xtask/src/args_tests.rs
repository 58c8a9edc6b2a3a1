use super::*;

fn parsed(line: &str) -> Result<Command, clap::Error> {
    let words = std::iter::once("xtask").chain(line.split_whitespace());
    CommandLine::try_parse_from(words).map(|line| line.command)
}

#[test]
fn an_unusable_command_line_ends_with_2_and_names_what_is_wrong() {
    for (line, named) in [
        ("undeploy", "'undeploy'"),
        ("deploy", "<TARGET>"),
        ("deploy vercel", "'vercel'"),
        ("deploy supabase --env=live", "'live'"),
        ("deploy supabase --force", "'--force'"),
        ("dev --port 1", "'--port'"),
        ("dev --fresh=yes", "'--fresh'"),
        ("dev --runtime bun", "'bun'"),
        ("dev --ports-from 70000", "70000"),
        ("dev --ports-from 0", "'--ports-from <N>'"),
        ("dev --ports-from", "'--ports-from <N>'"),
        ("dev extra", "'extra'"),
        ("build --release", "'--release'"),
        ("bench --scale huge", "'huge'"),
        ("bench --only speed", "'speed'"),
        ("function-token --key k", "--role"),
        (
            "function-token --role service_role --key k",
            "'service_role'",
        ),
        ("function-token --role fn_ai", "--key"),
        ("function-token --role fn_ai --key k --days 0", "--days"),
        ("function-token --role fn_ai --key k --days 3651", "--days"),
        ("check-llm --ready-file a", "'--ready-file'"),
        ("reconcile-billing --apply=no", "'--apply'"),
        (
            "reconcile-billing --env-file a --ready-file b",
            "cannot be used with",
        ),
        ("check --full", "'--full'"),
        ("test --only formatting", "'formatting'"),
        ("test --only format,formatting", "'formatting'"),
    ] {
        let error = parsed(line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
        assert!(error.to_string().contains(named), "{line}: {error}");
    }
}

#[test]
fn dev_has_defaults_for_everything() {
    assert_eq!(
        parsed("dev").unwrap(),
        Command::Dev(stack::Options::default())
    );
}

#[test]
fn a_value_may_follow_its_option_or_an_equals_sign() {
    let expected = stack::Options {
        runtime: stack::Runtime::Deno,
        ports_from: Some(9000),
        data: Some("/d".into()),
        deployable: true,
        fresh: true,
        no_build: true,
        ..stack::Options::default()
    };
    let line = "dev --runtime deno --ports-from=9000 --data /d --deployable --fresh --no-build";
    assert_eq!(parsed(line).unwrap(), Command::Dev(expected));
}

#[test]
fn production_is_deployed_only_by_its_name() {
    let target = deploy::Target::Cloudflare;
    let options = |environment, dry_run| {
        Command::Deploy(deploy::Options {
            target,
            environment,
            env_file: None,
            dry_run,
        })
    };
    assert_eq!(
        parsed("deploy cloudflare").unwrap(),
        options(deploy::Environment::Staging, false)
    );
    let line = "deploy cloudflare --env production --dry-run";
    assert_eq!(
        parsed(line).unwrap(),
        options(deploy::Environment::Production, true)
    );
}

#[test]
fn relative_path_is_resolved_from_the_callers_folder() {
    let Command::Dev(options) = parsed("dev --ready-file ready.json").unwrap() else {
        panic!()
    };
    assert_eq!(
        options.ready_file.unwrap(),
        std::env::current_dir().unwrap().join("ready.json")
    );
}

#[test]
fn help_names_every_option_with_what_it_does_and_what_it_takes() {
    let mut commands = <CommandLine as clap::CommandFactory>::command();
    commands.build();
    for command in commands
        .get_subcommands_mut()
        .filter(|command| command.get_name() != "help")
    {
        assert!(command.get_about().is_some(), "{}", command.get_name());
        let help = command.render_help().to_string();
        for argument in command.get_arguments() {
            let described = argument.get_help().is_some() || argument.is_positional();
            assert!(described, "{} {}", command.get_name(), argument.get_id());
            assert!(
                argument.get_long().is_none_or(|long| help.contains(long)),
                "{help}"
            );
        }
    }
    let help = |name: &str| {
        commands
            .find_subcommand_mut(name)
            .unwrap()
            .render_help()
            .to_string()
    };
    let [test, bench] = ["test", "bench"].map(help);
    assert!(
        STAGES.iter().all(|stage| test.contains(stage.name)),
        "{test}"
    );
    assert!(PARTS.iter().all(|part| bench.contains(part)), "{bench}");
}

#[test]
fn stages_and_parts_are_chosen_by_a_list() {
    let Command::Test(options) = parsed("test --only format,page").unwrap() else {
        panic!()
    };
    assert_eq!(
        (options.only, options.full),
        (vec!["format".to_owned(), "page".to_owned()], false)
    );
    let Command::Bench(options) = parsed("bench --only database,stripe-webhook --record").unwrap()
    else {
        panic!()
    };
    assert_eq!((options.only.len(), options.record), (2, true));
}

#[test]
fn test_has_two_tiers() {
    let tier = |line| match parsed(line).unwrap() {
        Command::Test(options) => options.tier(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        [tier("test"), tier("test --full")],
        [Tier::Test, Tier::Full]
    );
}
