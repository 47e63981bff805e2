using System.CommandLine;
using System.Globalization;
using Streaming.Encoders.Catalogues;
using Streaming.Models.Options;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Native;
using Streaming.Worker.Encode;
using Streaming.Worker.Failures;
using Streaming.Worker.Outputs;
using Streaming.Worker.Run;
using Streaming.Worker.Shutdown;

namespace Streaming.Worker.Commands;

/// <summary>`streaming encode`: texts and pictures of a catalogue become feature groups.</summary>
internal static class EncodeCommand
{
    /// <summary>Brokers that confirm nothing for this long are unavailable.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>How long a batch and its write may take after the first signal.</summary>
    private static readonly TimeSpan ShutdownLimit = TimeSpan.FromSeconds(30);

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var arguments = new EncodeArguments();
        var send = new Option<bool>("--send")
        {
            Description =
                "Send the records to the items topic as well: those that were not delivered by an earlier run. A record replaces the "
                + "item's record there as a whole, so the item files must have all of its fields.",
        };
        Option<string?> file = SettingsOption.Create();
        var command = new Command(
            "encode",
            "Encode titles and pictures of a catalogue by ONNX models into feature groups, for `streaming-lab demo`, `replay` and "
                + "`backtest` (--items) and the items topic. Items that have not changed since the last run are left as they are; a run that "
                + "was stopped is continued."
        );
        arguments.AddTo(command);
        command.Add(send);
        command.Add(file);
        command.SetAction(
            async (result, _) =>
            {
                EncodeOptions options = arguments.Read(result);
                bool isSending = result.GetValue(send);
                WorkerOptions? settings = isSending ? ReadSettings(result.GetValue(file)) : null;
                OutputPath.Require(("--output", options.Output), ("--output", isSending ? ItemSender.LedgerOf(options.Output) : null));
                using var signals = new ShutdownSignals(
                    ShutdownLimit,
                    TimeProvider.System,
                    static () => ProcessEnd.Now((int)ExitCode.Aborted)
                );
                await Task.Run(() => Run(options, settings, signals.Stopping), CancellationToken.None)
                    .WaitAsync(signals.Abort)
                    .ConfigureAwait(false);
                return (int)ExitCode.Success;
            }
        );
        return command;
    }

    private static void Run(EncodeOptions options, WorkerOptions? settings, CancellationToken stopping)
    {
        var progress = new EncodeProgress(Console.Error, TimeProvider.System);
        using (var encoder = new CatalogueEncoder(options, static line => Console.Error.WriteLine("streaming: " + line)))
        {
            if (settings is not null)
            {
                CheckGroups(settings.Model, encoder.Counts.Groups);
            }

            encoder.Run(progress.Report, stopping);
            Console.WriteLine(EncodeProgress.Summary(options.Output, encoder.Counts));
        }

        if (settings is not null)
        {
            Send(options.Output, settings.Kafka, progress, stopping);
        }
    }

    private static void Send(string file, KafkaOptions kafka, EncodeProgress progress, CancellationToken stopping)
    {
        using var producer = new EventProducer(kafka) { Patience = Patience, Stopping = stopping };
        using var sender = new ItemSender(file, kafka.ItemsTopic, producer);
        long sent = sender.Run(progress.Sent, stopping);
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"sent {sent} records to {kafka.ItemsTopic} at {kafka.BootstrapServers}")
        );
    }

    private static WorkerOptions ReadSettings(string? file)
    {
        WorkerOptions settings = WorkerSettings.Options(SettingsOption.ReadWithoutLog(file));
        if (settings.Kafka.ItemsTopic.Length == 0 || settings.Kafka.ItemsColumns.Length > 0)
        {
            throw new SettingsException([
                settings.Kafka.ItemsTopic.Length == 0
                    ? "STREAMING__Kafka__ItemsTopic is empty; allowed with --send: the topic to send to."
                    : "--send sends records as schemas/ defines them, which a worker with STREAMING__Kafka__ItemsColumns cannot read: "
                        + "unset it, or send to another topic.",
            ]);
        }

        KafkaLibrary.Load();
        return settings;
    }

    /// <summary>A worker with these settings must take the records: it refuses those with a group of another length.</summary>
    private static void CheckGroups(ModelOptions model, string encoded)
    {
        string[] errors =
        [
            .. from text in encoded.Split(',')
            let parts = text.Split(':')
            from declared in model.FeatureGroups
            where declared.Name == parts[0] && !declared.IsHashed && $"{declared.Length}" != parts[1]
            select $"STREAMING__Model__FeatureGroups has {declared}, and --send would send {text}; allowed: the same length.",
        ];
        if (errors.Length > 0)
        {
            throw new SettingsException(errors);
        }
    }
}
