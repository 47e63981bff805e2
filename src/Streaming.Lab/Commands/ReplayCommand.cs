using System.CommandLine;
using System.Globalization;
using Streaming.Lab.Feeds;
using Streaming.Transport.Kafka;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Native;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Streaming.Worker.Run;
using Streaming.Worker.Shutdown;

namespace Streaming.Lab.Commands;

/// <summary>`streaming-lab replay`: sends events from files or a simulated shop to Kafka.</summary>
internal static class ReplayCommand
{
    /// <summary>Brokers that confirm nothing for this long are unavailable.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var feed = new FeedArguments();
        var command = new Command(
            "replay",
            "Send events from files or a simulated shop to Kafka. Exits with code 69 if the brokers confirm nothing for 20 s."
        );
        Option<string?> file = SettingsOption.Create();
        command.Add(file);
        feed.AddTo(command);
        command.SetAction(
            async (result, _) =>
            {
                WorkerOptions settings = WorkerSettings.Options(SettingsOption.ReadWithoutLog(result.GetValue(file)));
                KafkaOptions kafka = settings.Kafka;
                if (kafka.InteractionsColumns.Length > 0 || kafka.ItemsColumns.Length > 0)
                {
                    throw new SettingsException([
                        "replay sends records as schemas/ defines them, which a worker with STREAMING__Kafka__InteractionsColumns or "
                            + "STREAMING__Kafka__ItemsColumns cannot read: unset these, or send to another topic.",
                    ]);
                }

                KafkaLibrary.Load();
                EventFeed events = feed.Create(result, TimeProvider.System);
                using var signals = new ShutdownSignals(
                    settings.Pipeline.ShutdownTimeout,
                    TimeProvider.System,
                    static () => ProcessEnd.Now((int)ExitCode.Aborted)
                );
                using var producer = new EventProducer(kafka) { Patience = Patience, Stopping = signals.Stopping };
                var pace = new FeedPace
                {
                    Rate = result.GetValue(feed.Rate),
                    Duration = result.GetValue(feed.Seconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : TimeSpan.MaxValue,
                };
                var pump = new FeedPump(events, producer, kafka, pace, TimeProvider.System);
                Console.WriteLine(events.Description);
                await pump.RunAsync(signals.Stopping, signals.Abort).ConfigureAwait(false);
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"sent {pump.Produced} events to {kafka.InteractionsTopic} at {kafka.BootstrapServers}"
                    )
                );
                return (int)ExitCode.Success;
            }
        );
        return command;
    }
}
