using Streaming.Core.Dedup;
using Streaming.Core.Histories;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Worker.Engine;
using Streaming.Worker.Settings;
using Streaming.Worker.Stages;

namespace Streaming.Lab.Backtest;

/// <summary>All options of a backtest.</summary>
/// <param name="Settings">The settings that they were read from, for the file of the best.</param>
internal sealed record BacktestOptions(SettingsValues Settings)
{
    /// <summary>Gets what counts as an event.</summary>
    public EventOptions Events { get; } = Settings.Get<EventOptions>();

    /// <summary>Gets what is kept of each user.</summary>
    public HistoryOptions History { get; } = Settings.Get<HistoryOptions>();

    /// <summary>Gets how second records of an event are recognised.</summary>
    public DedupOptions Dedup { get; } = Settings.Get<DedupOptions>();

    /// <summary>Gets the model.</summary>
    public ModelOptions Model { get; } = Settings.Get<ModelOptions>();

    /// <summary>Gets what computes the training step.</summary>
    public EngineOptions Engine { get; } = Settings.Get<EngineOptions>();

    /// <summary>Gets how a stream is learned.</summary>
    public TrainerOptions Training { get; } = Settings.Get<TrainerOptions>();

    /// <summary>Gets how a recorded stream is run.</summary>
    public StreamOptions Stream { get; } = Settings.Get<StreamOptions>();

    /// <summary>Gets the scheduled training that a stream's model is compared with.</summary>
    public RetrainOptions Retrain { get; } = Settings.Get<RetrainOptions>();

    /// <summary>Gets how a model is trained on recorded sequences.</summary>
    public OfflineOptions Offline { get; } = Settings.Get<OfflineOptions>();
}
