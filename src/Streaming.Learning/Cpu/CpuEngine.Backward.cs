using Streaming.Kernels.Elementwise;
using Streaming.Kernels.Optimisers;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <content>From the loss to the next parameters: gradients, their norm, the optimizer's update.</content>
public sealed partial class CpuEngine
{
    private void Backward(long step)
    {
        var work = new Work(this, step);
        _workers.Run(_lanes.Length, ref work, static (ref Work work, int lane, int _) => work.Engine.BackwardLane(lane, work.Step));
        _workers.Run(Parts(_slots.Count), ref work, static (ref Work work, int part, int _) => work.Engine.SumItems(part));
        if (Model.FeatureLength > 0)
        {
            _workers.Run(_lanes.Length, ref work, static (ref Work work, int lane, int _) => work.Engine.BackwardItems(lane));
        }

        const int block = 4096;
        _workers.Run(
            (_parameters.Length + block - 1) / block,
            ref work,
            static (ref Work work, int part, int _) => work.Engine.SumLanes(part * block, block)
        );
    }

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
        for (int part = lane; part < Parts(_slots.Count); part += _lanes.Length)
        {
            int first = part * SlotsPerPart,
                count = Math.Min(SlotsPerPart, _slots.Count - first);
            _items.Backward(
                _slots.Rows.Slice(first, count),
                _itemGradients.Sums.Slice(first * d, count * d),
                Scratch(lane, count),
                _lanes[lane]
            );
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

    private double GradientNorm()
    {
        double squares = SquaredNorm.Compute(_parameters.Gradients, _workers);
        if (Model.ItemIds)
        {
            squares += SquaredNorm.Compute(_itemGradients.Sums, _workers);
        }

        return Math.Sqrt(squares);
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

        // By index: enumerating a list through an interface would allocate on every step.
        for (int i = 0; i < _parameters.All.Count; i++)
        {
            Parameter parameter = _parameters.All[i];
            AdamW.Update(
                _parameters.Value(parameter),
                _parameters.Gradients.AsSpan(parameter.Offset, parameter.Length),
                _parameters.FirstMoments.AsSpan(parameter.Offset, parameter.Length),
                _parameters.SecondMoments.AsSpan(parameter.Offset, parameter.Length),
                parameter.Decays ? numbers : numbers with { WeightDecay = 0 },
                _workers
            );
        }

        if (Model.ItemIds)
        {
            UpdateRows(numbers with { WeightDecay = Model.IdWeightDecay });
        }
    }

    private void UpdateRows(in AdamWStep numbers)
    {
        double logDecay = _table.LogDecay + Math.Log(1 - ((double)numbers.LearningRate * numbers.WeightDecay));
        var work = new RowWork(this, numbers, logDecay);
        _workers.Run(
            Parts(_slots.Count),
            ref work,
            static (ref RowWork work, int part, int _) => work.Engine.UpdateRows(part, work.Numbers, work.LogDecay)
        );
        _table.LogDecay = logDecay;
    }

    private void UpdateRows(int part, in AdamWStep numbers, double logDecay)
    {
        int d = Model.Dimension,
            first = part * SlotsPerPart,
            end = Math.Min(_slots.Count, first + SlotsPerPart);
        for (int slot = first; slot < end; slot++)
        {
            _table.Update(_slots.Rows[slot], _itemGradients.Sums.Slice(slot * d, d), _updates, numbers, logDecay);
        }
    }
}
