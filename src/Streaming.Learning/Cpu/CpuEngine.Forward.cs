using Streaming.Kernels.Softmax;
using Streaming.Learning.Engine;
using Streaming.Learning.Losses;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <content>From a batch to its loss: encodes items and users, and scores users against the candidates.</content>
public partial class CpuEngine
{
    private void Plan(in TrainingBatch batch, in TrainingBatch all)
    {
        _slots.Clear();
        _plan.Plan(batch.Sequences, batch.PredictionSteps, _slots, _tower.ChunkSteps);
        PlanColumns(batch, all);
        Buffers.Grow(ref _candidateGradients, _columns.Batch, Model.Dimension);
    }

    /// <summary>Plans the columns of the candidates, and the sums of the gradients of <paramref name="batch"/>'s items.</summary>
    private protected virtual void PlanColumns(in TrainingBatch batch, in TrainingBatch all)
    {
        _columns.Plan(batch, _slots);
        _itemGradients.Plan(_slots.Count, _plan.Slots, _columns.Slots);
    }

    private void Forward(long step)
    {
        int d = Model.Dimension;
        Buffers.Grow(ref _encoded, _slots.Count, d);
        _tower.Reserve(_plan);
        _tower.Prepare();
        Encode(_slots.Rows, _encoded.AsSpan(0, _slots.Count * d));
        var forward = new Work(this, step);
        _workers.Run(
            _plan.ChunkCount,
            ref forward,
            static (ref Work work, int part, int worker) =>
                work.Engine._tower.Forward(work.Engine._plan, work.Engine._plan.ChunkAt(part), work.Engine._encoded.Span, work.Step)
        );
    }

    /// <summary>Embeddings of the distinct items of a step.</summary>
    private protected virtual void Encode(ReadOnlySpan<int> rows, Span<float> embeddings) => EncodeRows(rows, embeddings);

    private int FillCandidates(in TrainingBatch all)
    {
        _bank.Reserve(_columns.Batch);
        _bank.TouchBatch(_columns.Batch);
        _columns.Fill(
            all,
            ColumnVectors(),
            Model.Dimension,
            _bank.Candidates(_columns.Batch, 0),
            _bank.CandidateRows(_columns.Batch, 0),
            _bank.CandidateLogQ(_columns.Batch, 0)
        );
        return Model.Loss == LossKind.Full ? 0 : Math.Min(all.BankEntries, _bank.Count);
    }

    /// <summary>Item vectors by the slots of the columns.</summary>
    private protected virtual ReadOnlySpan<float> ColumnVectors() => _encoded.Span;

    private double Score(in TrainingBatch batch, in TrainingBatch all, int entries)
    {
        int rows = batch.Positives.Length,
            d = Model.Dimension;
        int candidates = _columns.Scored + entries;
        if (rows > _maxRows || candidates > _maxCandidates)
        {
            _maxRows = Math.Max(_maxRows, rows + (rows / 4));
            _maxCandidates = Math.Max(_maxCandidates, candidates + (candidates / 4));
            _softmax = new NestedSoftmax(_widths, _maxRows, _maxCandidates, _workers);
        }

        Span<float> gradients = _candidateGradients.AsSpan(0, _columns.Batch * d);
        gradients[(_columns.Scored * d)..].Clear();
        var problem = new NestedSoftmaxProblem
        {
            Users = _tower.Users(_plan, _bank.Candidates(_columns.Batch, 0), OwnPositives),
            Candidates = _bank.Candidates(_columns.Batch, entries)[..(candidates * d)],
            CandidateIds = Model.HitMask == HitMask.Id ? _bank.CandidateRows(_columns.Batch, entries)[..candidates] : [],
            LogQ = LogQ(all, entries)[..candidates],
            PositiveColumn = OwnPositives,
            RowWeights = batch.Weights,
            TotalWeight = TotalWeight,
            WidthWeights = _widthWeights,
            GradientCandidates = _columns.Scored,
            Temperature = Model.Temperature,
            Cosine = Model.Cosine,
            Correction = Model.Loss is LossKind.Full or LossKind.Uniform ? LogQCorrection.None : Model.LogQ,
            UserGradients = _tower.UserGradients(_plan),
            CandidateGradients = gradients[..(_columns.Scored * d)],
            Losses = _losses,
        };
        if (rows > 0)
        {
            _softmax.Run(problem);
        }

        if (rows > 0 && entries > 0 && Model.BalanceBank)
        {
            BalanceItems(problem, LogQ(all, 0));
        }

        AfterScore(rows, gradients);
        return TotalLoss();
    }

    /// <summary>Gets the columns of the positives of this engine's predictions.</summary>
    private protected virtual ReadOnlySpan<int> OwnPositives => _columns.Positives;

    /// <summary>Gets the sum of the weights of the whole batch; 0: that of this engine's.</summary>
    private protected virtual double TotalWeight => 0;

    /// <summary>Completes the losses of the widths and the gradients of the candidates.</summary>
    /// <param name="rows">Number of this engine's predictions; without any, losses and gradients have not been written.</param>
    /// <param name="gradients">In: the gradient of each column. Out: that of each column of this engine's items, in front.</param>
    private protected virtual void AfterScore(int rows, Span<float> gradients) { }

    /// <summary>ln q of the candidates; valid until the next call. The bank keeps ln p, because the mixture changes with each
    /// step.</summary>
    private ReadOnlySpan<float> LogQ(in TrainingBatch all, int entries)
    {
        ReadOnlySpan<float> logP = _bank.CandidateLogQ(_columns.Batch, entries);
        var mixture = new CandidateMixture(all.Positives.Length, entries, all.Negatives.Length, all.DrawnFrom, _bank.Window(entries));
        if (!mixture.Mixes)
        {
            return logP;
        }

        Buffers.Grow(ref _mixedLogQ, logP.Length);
        mixture.Mix(logP, _mixedLogQ);
        return _mixedLogQ.AsSpan(0, logP.Length);
    }

    /// <summary>Replaces the gradients of the batch's items by those of the softmax without the bank.</summary>
    private void BalanceItems(NestedSoftmaxProblem problem, ReadOnlySpan<float> logQ)
    {
        Buffers.Grow(ref _unusedUserGradients, problem.PositiveColumn.Length, Model.Dimension);
        int batch = problem.GradientCandidates;
        problem.Candidates = problem.Candidates[..(batch * Model.Dimension)];
        problem.CandidateIds = problem.CandidateIds.IsEmpty ? [] : problem.CandidateIds[..batch];
        problem.LogQ = logQ;
        problem.UserGradients = _unusedUserGradients.AsSpan(0, problem.UserGradients.Length);
        problem.Losses = _batchLosses;
        _softmax.Run(problem);
    }

    private double TotalLoss()
    {
        double sum = 0,
            weights = 0;
        for (int k = 0; k < _losses.Length; k++)
        {
            sum += _widthWeights[k] * _losses[k];
            weights += _widthWeights[k];
        }

        return sum / weights;
    }
}
