using Streaming.Learning.Training;
using Streaming.Worker.Metrics;

namespace Streaming.Worker.Stages;

/// <summary>Divides the time of the training thread among its parts. The parts add up to the whole. The training thread.</summary>
/// <param name="metrics">Counts the time.</param>
/// <param name="time">Clock.</param>
internal sealed class TrainerClock(WorkerMetrics metrics, TimeProvider time)
{
    private long _mark = time.GetTimestamp();
    private TimeSpan _scored;
    private TimeSpan _stepped;

    /// <summary>Starts now, with a trainer that may have trained before.</summary>
    public void Start(Trainer trainer)
    {
        _mark = time.GetTimestamp();
        (_scored, _stepped) = (trainer.EvaluationTime, trainer.StepTime);
    }

    /// <summary>Counts the time since the last call for a part.</summary>
    public void Spent(TrainerPart part) => metrics.RecordTrainerTime(part, Lap());

    /// <summary>Counts the time since the last call, in which a batch was trained on.</summary>
    /// <returns>That time.</returns>
    public TimeSpan SpentTraining(Trainer trainer)
    {
        TimeSpan all = Lap();
        TimeSpan scoring = trainer.EvaluationTime - _scored;
        TimeSpan step = trainer.StepTime - _stepped;
        (_scored, _stepped) = (trainer.EvaluationTime, trainer.StepTime);
        TimeSpan rest = all - scoring - step;
        metrics.RecordTrainerTime(TrainerPart.Scoring, scoring);
        metrics.RecordTrainerTime(TrainerPart.Step, step);
        metrics.RecordTrainerTime(TrainerPart.Assembly, rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
        return all;
    }

    private TimeSpan Lap()
    {
        long now = time.GetTimestamp();
        TimeSpan lap = time.GetElapsedTime(_mark, now);
        _mark = now;
        return lap;
    }
}
