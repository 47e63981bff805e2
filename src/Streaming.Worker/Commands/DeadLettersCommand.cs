using System.CommandLine;
using Microsoft.Extensions.Logging;
using Streaming.Core.Events;
using Streaming.Transport.Kafka.DeadLetters;
using Streaming.Transport.Kafka.Native;
using Streaming.Worker.DeadLetters;
using Streaming.Worker.Failures;
using Streaming.Worker.Logging;
using Streaming.Worker.Run;
using Streaming.Worker.Shutdown;

namespace Streaming.Worker.Commands;

/// <summary>`streaming dead-letters`: lists records that could not be used, and replays them after a fix.</summary>
internal static class DeadLettersCommand
{
    private const int MostBytes = 1 << 20;
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(10);

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string?> file = SettingsOption.Create();
        file.Recursive = true;
        return new Command(
            "dead-letters",
            "List, show and replay the records of STREAMING__Kafka__DeadLetterTopic. Records that arrive after the command has started "
                + "are not read. Exits with code 69 if no broker answers within 10 s."
        )
        {
            file,
            List(file),
            Show(file),
            Replay(file),
        };
    }

    private static Command List(Option<string?> file)
    {
        var range = new RangeOptions();
        var command = new Command("list", "Count the dead letters by topic and reason, with the newest example of each.");
        range.AddTo(command);
        command.SetAction((result, _) => RunAsync(result.GetValue(file), (admin, stopping) => admin.List(range.Read(result), stopping)));
        return command;
    }

    private static Command Show(Option<string?> file)
    {
        var partition = new Argument<int>("partition") { Description = "Partition of the dead-letter topic." };
        var offset = new Argument<long>("offset") { Description = "Offset in that partition, as printed by `list`." };
        var bytes = new Option<int>("--bytes")
        {
            Description = "Maximum number of bytes to print of the key, the value and each header, 1 … 1048576.",
            DefaultValueFactory = static _ => 4096,
        };
        var command = new Command("show", "Print the headers, key and value of one dead letter, as text or hexadecimal.")
        {
            partition,
            offset,
            bytes,
        };
        command.SetAction(
            (result, _) =>
            {
                long at = result.GetValue(offset);
                int most = result.GetValue(bytes);
                string[] errors =
                [
                    .. at < 0 ? [$"offset is {at}; allowed: 0 and up."] : Array.Empty<string>(),
                    .. most is < 1 or > MostBytes ? [$"--bytes is {most}; allowed: 1 … {MostBytes}."] : Array.Empty<string>(),
                ];
                return errors.Length > 0
                    ? throw new SettingsException(errors)
                    : RunAsync(result.GetValue(file), (admin, stopping) => admin.Show(result.GetValue(partition), at, most, stopping));
            }
        );
        return command;
    }

    private static Command Replay(Option<string?> file)
    {
        var range = new RangeOptions();
        var dryRun = new Option<bool>("--dry-run") { Description = "Print what would be sent without sending it." };
        var now = new Option<bool>("--time-now")
        {
            Description =
                "Send the records with the current time instead of their own. Use it for topics whose retention is shorter than the age "
                + "of the records: they would be deleted before they are read.",
        };
        var command = new Command(
            "replay",
            "Send the original key, value, time and headers back to the topic and partition they came from. Events whose id has been "
                + "counted in the meantime are dropped as duplicates."
        )
        {
            dryRun,
            now,
        };
        range.AddTo(command);
        command.SetAction(
            (result, _) =>
                RunAsync(
                    result.GetValue(file),
                    (admin, stopping) => admin.Replay(range.Read(result), result.GetValue(dryRun), !result.GetValue(now), stopping)
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(string? file, Func<DeadLetterAdmin, CancellationToken, ExitCode> act)
    {
        WorkerOptions settings = WorkerSettings.Options(SettingsOption.ReadWithoutLog(file));
        using ILoggerFactory loggers = WorkerLogging.Create(settings.Log);
        KafkaLibrary.Load();
        using var signals = new ShutdownSignals(ShutdownLimit, TimeProvider.System);
        var admin = new DeadLetterAdmin(settings.Kafka, Console.Out);
        return (int)await Task.Run(() => act(admin, signals.Stopping)).WaitAsync(signals.Abort).ConfigureAwait(false);
    }

    private sealed class RangeOptions
    {
        private readonly Option<string[]> _reasons = new("--reason")
        {
            Description =
                $"Select dead letters with this reason. May be repeated. Reasons: "
                + $"{string.Join(", ", Enum.GetNames<DeadLetterReason>().Skip(1))}.",
        };
        private readonly Option<string?> _from = new("--from")
        {
            Description = $"First dead letter to select: {DeadLetterPoint.Allowed}. Default: the oldest.",
            HelpName = "OFFSET|TIME",
        };
        private readonly Option<string?> _to = new("--to")
        {
            Description = "End of the selection, exclusive, in the same format. Default: the end of the topic.",
            HelpName = "OFFSET|TIME",
        };
        private readonly Option<int?> _partition = new("--partition")
        {
            Description = "Select one partition of the dead-letter topic. Default: all.",
        };

        public void AddTo(Command command)
        {
            command.Add(_reasons);
            command.Add(_from);
            command.Add(_to);
            command.Add(_partition);
        }

        /// <summary>Reads the options.</summary>
        /// <exception cref="SettingsException">One is not allowed.</exception>
        public DeadLetterRange Read(ParseResult result)
        {
            string[] reasons = result.GetValue(_reasons) ?? [];
            List<string> errors =
            [
                .. reasons
                    .Where(static reason =>
                        !Enum.TryParse(reason, ignoreCase: true, out DeadLetterReason known)
                        || known == DeadLetterReason.None
                        || char.IsDigit(reason[0])
                    )
                    .Select(static reason =>
                        $"--reason is '{reason}'; allowed: {string.Join(", ", Enum.GetNames<DeadLetterReason>().Skip(1))}."
                    ),
            ];
            DeadLetterPoint? from = Point("--from", result.GetValue(_from), errors);
            DeadLetterPoint? to = Point("--to", result.GetValue(_to), errors);
            return errors.Count > 0
                ? throw new SettingsException(errors)
                : new DeadLetterRange(from, to, result.GetValue(_partition), reasons);
        }

        private static DeadLetterPoint? Point(string option, string? text, List<string> errors)
        {
            if (text is null)
            {
                return null;
            }

            if (!DeadLetterPoint.TryParse(text, out DeadLetterPoint point))
            {
                errors.Add($"{option} is '{text}'; allowed: {DeadLetterPoint.Allowed}.");
            }

            return point;
        }
    }
}
