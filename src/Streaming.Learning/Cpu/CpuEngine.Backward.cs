using Streaming.Kernels.Elementwise;
using Streaming.Kernels.Optimisers;
using Streaming.Models.Batches;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <content>From the loss to the next parameters: gradients, their norm, the optimizer's update.</content>
public partial class CpuEngine
{
    private void Backward(long step)
    {
        var work = new Work(this, step);
        _workers.Run(_lanes.Length, ref work, static (ref Work work, int lane, int _) => work.Engine.BackwardLane(lane, work.Step));
        _workers.Run(Parts(_slots.Count), ref work, static (ref Work work, int part, int _) => work.Engine.SumItems(part));
        SumRows();
        if (_hasFeatures)
        {
            _workers.Run(_lanes.Length, ref work, static (ref Work work, int lane, int _) => work.Engine.BackwardItems(lane));
        }

        const int block = 4096;
        _workers.Run(
            (_parameters.Length + block - 1) / block,
            ref work,
            static (ref Work work, int part, int _) => work.Engine.SumLanes(part * block, block)
        );
        SumDense();
    }

    /// <summary>Completes <see cref="RowGradients"/>, given the gradients of this engine's items.</summary>
    private protected virtual void SumRows() { }

    /// <summary>Completes the gradients of the dense parameters.</summary>
    private protected virtual void SumDense() { }

    private void BackwardLane(int lane, long step)
    {
        Array.Clear(_lanes[lane].Gradients);
        for (int chunk = lane; chunk < _plan.ChunkCount; chunk += _lanes.Length)
        {
            _tower.Backward(_plan, _plan.ChunkAt(chunk), step, _lanes[lane]);
        }
    }

    private void SumItems(int part)
    {
        int first = part * SlotsPerPart,
            end = Math.Min(_slots.Count, first + SlotsPerPart);
        _itemGradients.Sum(first, end, _tower.InputGradients, _candidateGradients.Span);
    }

    private void BackwardItems(int lane)
    {
        int d = Model.Dimension;
        RowSlots rows = Updated;
        for (int part = lane; part < Parts(rows.Count); part += _lanes.Length)
        {
            int first = part * SlotsPerPart,
                count = Math.Min(SlotsPerPart, rows.Count - first);
            _items.Backward(rows.Rows.Slice(first, count), RowGradients.Slice(first * d, count * d), Scratch(lane, count), _lanes[lane]);
        }
    }

    private void SumLanes(int first, int block)
    {
        int count = Math.Min(block, _parameters.Length - first);
        Span<float> sum = _parameters.Gradients.AsSpan(first, count);
        _lanes[0].Gradients.AsSpan(first, count).CopyTo(sum);
        for (int lane = 1; lane < _lanes.Length; lane++)
        {
            System.Numerics.Tensors.TensorPrimitives.Add(sum, _lanes[lane].Gradients.AsSpan(first, count), sum);
        }
    }

    /// <summary>Sum of the squares of all gradients of the step.</summary>
    private protected virtual double SquaredGradients() => SquaredGradients(_parameters.Gradients);

    /// <summary>Sum of the squares of dense gradients and of the updated rows'.</summary>
    private protected double SquaredGradients(ReadOnlySpan<float> dense)
    {
        double squares = SquaredNorm.Compute(dense, _workers);
        return Model.ItemIds ? squares + SquaredNorm.Compute(RowGradients, _workers) : squares;
    }

    private void Update(float learningRate, double norm)
    {
        _updates++;
        AdamWStep numbers = new AdamWStep
        {
            LearningRate = learningRate,
            Beta1 = Model.Beta1,
            Beta2 = Model.Beta2,
            Epsilon = Model.Epsilon,
            WeightDecay = Model.WeightDecay,
            GradientScale = Model.ClipNorm > 0 && norm > Model.ClipNorm ? (float)(Model.ClipNorm / norm) : 1,
        }.At(_updates);

        UpdateDense(numbers);
        if (Model.ItemIds)
        {
            UpdateRows(numbers with { WeightDecay = Model.IdWeightDecay });
        }
    }

    private protected virtual void UpdateDense(in AdamWStep numbers) => UpdateDense(numbers, 0, _parameters.Length);

    /// <summary>Updates the dense parameters from <paramref name="begin"/> to before <paramref name="end"/>.</summary>
    private protected void UpdateDense(in AdamWStep numbers, int begin, int end)
    {
        // By index: enumerating a list through an interface would allocate on every step.
        for (int i = 0; i < _parameters.All.Count; i++)
        {
            Parameter parameter = _parameters.All[i];
            int first = Math.Max(begin, parameter.Offset),
                count = Math.Min(end, parameter.Offset + parameter.Length) - first;
            if (count <= 0)
            {
                continue;
            }

            AdamW.Update(
                _parameters.Values.AsSpan(first, count),
                _parameters.Gradients.AsSpan(first, count),
                _parameters.FirstMoments.AsSpan(first, count),
                _parameters.SecondMoments.AsSpan(first, count),
                parameter.Decays ? numbers : numbers with { WeightDecay = 0 },
                _workers
            );
        }
    }

    private void UpdateRows(in AdamWStep numbers)
    {
        double logDecay = _table.LogDecay + Math.Log(1 - ((double)numbers.LearningRate * numbers.WeightDecay));
        var work = new RowWork(this, numbers, logDecay);
        _workers.Run(
            Parts(Updated.Count),
            ref work,
            static (ref RowWork work, int part, int _) => work.Engine.UpdateRows(part, work.Numbers, work.LogDecay)
        );
        _table.LogDecay = logDecay;
    }

    private void UpdateRows(int part, in AdamWStep numbers, double logDecay)
    {
        int d = Model.Dimension,
            first = part * SlotsPerPart,
            end = Math.Min(Updated.Count, first + SlotsPerPart);
        ReadOnlySpan<int> rows = Updated.Rows;
        ReadOnlySpan<float> gradients = RowGradients;
        for (int slot = first; slot < end; slot++)
        {
            _table.Update(rows[slot], gradients.Slice(slot * d, d), _updates, numbers, logDecay);
        }
    }
}
