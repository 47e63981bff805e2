using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Core.Items;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Redis;
using Streaming.Worker.Engine;
using Streaming.Worker.Generations;
using Streaming.Worker.Http;
using Streaming.Worker.Logging;
using Streaming.Worker.Otlp;
using Streaming.Worker.Run;
using Streaming.Worker.Serve;
using Streaming.Worker.Settings;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Commands;

/// <summary>The settings of this program.</summary>
/// <remarks>
/// To add a setting: add a property to the options class of its component, with its default in the initialiser and the
/// default and the bounds in its doc comment, check it in that class's Validate(), and run `streaming config --markdown`
/// into deploy/SETTINGS.md. A new options class gets a section here and a property of <see cref="WorkerOptions"/>.
/// </remarks>
public static class WorkerSettings
{
    /// <summary>Gets all sections.</summary>
    public static SettingsCatalogue Catalogue { get; } =
        new([
            new SettingsSection("Kafka", typeof(KafkaOptions), "where the events come from.")
            {
                Secrets = Set(nameof(KafkaOptions.SaslPassword), nameof(KafkaOptions.SslKeyPassword), nameof(RegistryOptions.Password)),
                Essential = Set(
                    nameof(KafkaOptions.BootstrapServers),
                    nameof(KafkaOptions.InteractionsTopic),
                    nameof(KafkaOptions.InteractionsFormat),
                    nameof(KafkaOptions.InteractionsColumns),
                    nameof(KafkaOptions.ItemsTopic),
                    nameof(KafkaOptions.Start),
                    nameof(KafkaOptions.SecurityProtocol)
                ),
            },
            new SettingsSection("Events", typeof(EventOptions), "which events count, and with which weight.")
            {
                Essential = Set(nameof(EventOptions.Weights)),
            },
            new SettingsSection("Dedup", typeof(DedupOptions), "the window in which duplicate events are recognized."),
            new SettingsSection("Redis", typeof(RedisOptions), "where embeddings are published, and in which format.")
            {
                Secrets = Set(nameof(RedisOptions.Configuration)),
                Essential = Set(nameof(RedisOptions.Configuration), nameof(RedisOptions.Model)),
            },
            new SettingsSection("Items", typeof(ItemOptions), "what is published of items in addition to embeddings."),
            new SettingsSection(
                "Generation",
                typeof(GenerationOptions),
                "when readers are moved to a new generation (`run --generation`)."
            ),
            new SettingsSection("Checkpoint", typeof(CheckpointOptions), "where and how often checkpoints are written.")
            {
                Essential = Set(nameof(CheckpointOptions.Folder)),
            },
            new SettingsSection("Pipeline", typeof(PipelineOptions), "how the stages work together."),
            new SettingsSection("Ranks", typeof(RankOptions), "the ranks that train one model together (deploy/ranks.sh)."),
            new SettingsSection("Http", typeof(HttpOptions), "health, metrics and lookups.")
            {
                Essential = Set(nameof(HttpOptions.Address)),
            },
            new SettingsSection("Serve", typeof(ServeOptions), "the index that `serve` and `demo` search."),
            new SettingsSection(
                "Telemetry",
                typeof(TelemetryOptions),
                "metrics, traces and logs by OpenTelemetry, in addition to /metrics and standard error."
            )
            {
                Secrets = Set(nameof(TelemetryOptions.OtlpHeaders)),
            },
            new SettingsSection("Log", typeof(LogOptions), "what is logged, to standard error."),
            new SettingsSection(
                "Model",
                typeof(ModelOptions),
                "shape and hyper-parameters of the model; a checkpoint must agree with them.",
                SettingGroup.Model
            )
            {
                Essential = Set(nameof(ModelOptions.Widths), nameof(ModelOptions.ItemCapacity), nameof(ModelOptions.FeatureGroups)),
            },
            new SettingsSection("Batching", typeof(BatcherOptions), "how events become batches.", SettingGroup.Model)
            {
                Derived = Set(nameof(BatcherOptions.CheckpointBatches)),
            },
            new SettingsSection(
                "History",
                typeof(HistoryOptions),
                "the history of each user; the model reads its newest `STREAMING__Model__HistoryLength` items.",
                SettingGroup.Model
            ),
            new SettingsSection("Training", typeof(EngineOptions), "what computes the training step.", SettingGroup.Model),
            new SettingsSection("Training", typeof(TrainerOptions), "how the model is trained.", SettingGroup.Model)
            {
                Check = static settings => settings.Get<TrainerOptions>().Validate(settings.Get<ModelOptions>()),
            },
        ])
        {
            // What `streaming-lab backtest` reads, and writes into the files that `run --settings` takes.
            Elsewhere = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "Stream", "Retrain", "Offline" },
            Presets = WorkerPresets.All,
        };

    /// <summary>Reads the options from an environment.</summary>
    /// <exception cref="Failures.SettingsException">Names everything that is wrong.</exception>
    public static WorkerOptions Options(IReadOnlyDictionary<string, string> environment) => Options(Catalogue.Load(environment));

    /// <summary>The options that settings make.</summary>
    public static WorkerOptions Options(SettingsValues settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return new WorkerOptions
        {
            Kafka = settings.Get<KafkaOptions>(),
            Events = settings.Get<EventOptions>(),
            Batching = settings.Get<BatcherOptions>(),
            History = settings.Get<HistoryOptions>(),
            Dedup = settings.Get<DedupOptions>(),
            Model = settings.Get<ModelOptions>(),
            Engine = settings.Get<EngineOptions>(),
            Training = settings.Get<TrainerOptions>(),
            Redis = settings.Get<RedisOptions>(),
            Items = settings.Get<ItemOptions>(),
            Generation = settings.Get<GenerationOptions>(),
            Checkpoint = settings.Get<CheckpointOptions>(),
            Pipeline = settings.Get<PipelineOptions>(),
            Ranks = settings.Get<RankOptions>(),
            Http = settings.Get<HttpOptions>(),
            Serve = settings.Get<ServeOptions>(),
            Telemetry = settings.Get<TelemetryOptions>(),
            Log = settings.Get<LogOptions>(),
        };
    }

    private static HashSet<string> Set(params string[] names) => new(names, StringComparer.Ordinal);
}
