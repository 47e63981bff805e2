using System.Collections;
using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Core.Ingestion;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Redis;
using Streaming.Worker.Engine;
using Streaming.Worker.Failures;
using Streaming.Worker.Generations;
using Streaming.Worker.Http;
using Streaming.Worker.Logging;
using Streaming.Worker.Metrics;
using Streaming.Worker.Serve;
using Streaming.Worker.Settings;
using Streaming.Worker.Stages;

namespace Streaming.Worker.Commands;

/// <summary>The settings of this program.</summary>
/// <remarks>
/// To add a setting: add a property to the options class of its component, with its default in the initialiser and the
/// default and the bounds in its doc comment, check it in that class's Validate(), and run `streaming config --markdown`
/// into deploy/SETTINGS.md. A new options class gets a line here.
/// </remarks>
public static class WorkerSettings
{
    /// <summary>Gets all sections.</summary>
    public static SettingsCatalogue Catalogue { get; } = new(
    [
        new SettingsSection("Kafka", typeof(KafkaOptions), "where the events come from.") { Secrets = Set(nameof(KafkaOptions.SaslPassword), nameof(KafkaOptions.SslKeyPassword), nameof(RegistryOptions.Password)) },
        new SettingsSection("Events", typeof(EventOptions), "what counts as an event, and how much."),
        new SettingsSection("Batching", typeof(BatcherOptions), "how events become batches.") { Derived = Set(nameof(BatcherOptions.CheckpointBatches)) },
        new SettingsSection("History", typeof(HistoryOptions), "what is kept of each user; the model reads the newest `Model__HistoryLength` items of it."),
        new SettingsSection("Dedup", typeof(DedupOptions), "the window in which a second delivery of an event is recognised."),
        new SettingsSection("Model", typeof(ModelOptions), "shape and hyper-parameters of the model; a checkpoint must agree with them."),
        new SettingsSection("Training", typeof(EngineOptions), "what computes the training step."),
        new SettingsSection("Training", typeof(TrainerOptions), "how the model is trained.") { Check = static settings => settings.Get<TrainerOptions>().Validate(settings.Get<ModelOptions>()) },
        new SettingsSection("Redis", typeof(RedisOptions), "where the embeddings go, and in what form.") { Secrets = Set(nameof(RedisOptions.Configuration)) },
        new SettingsSection("Generation", typeof(GenerationOptions), "when readers are moved to a new generation (`run --generation`)."),
        new SettingsSection("Checkpoint", typeof(CheckpointOptions), "where and how often the state is kept."),
        new SettingsSection("Pipeline", typeof(PipelineOptions), "how the stages work together."),
        new SettingsSection("Http", typeof(HttpOptions), "health, metrics and lookups."),
        new SettingsSection("Serve", typeof(ServeOptions), "the items that `serve` and `demo` search."),
        new SettingsSection("Telemetry", typeof(TelemetryOptions), "metrics by OpenTelemetry, beside the text at /metrics."),
        new SettingsSection("Log", typeof(LogOptions), "what is logged, to standard error."),
    ]);

    /// <summary>Reads the settings from the environment of this process.</summary>
    /// <exception cref="SettingsException">Something is wrong: names everything that is.</exception>
    public static SettingsValues FromEnvironment() => Catalogue.Load(
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? string.Empty, StringComparer.Ordinal));

    private static HashSet<string> Set(params string[] names) => new(names, StringComparer.Ordinal);
}
