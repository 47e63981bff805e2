using System.Numerics.Tensors;
using Streaming.Kernels.Optimisers;
using Streaming.Learning.Engine;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <summary>
/// The state per item row: the learned id embedding with its optimiser state, and the frozen features. Idle rows cost nothing;
/// their missed weight decay is a factor that is applied when a row is read.
/// </summary>
public sealed class ItemRows
{
    private readonly ModelOptions _options;
    private readonly int _d;

    /// <summary>Allocates rows of a model, all zero.</summary>
    /// <param name="options">The model's options.</param>
    /// <param name="rows">Number of rows: the model's capacity, or the part of it that is stored here.</param>
    public ItemRows(ModelOptions options, int rows)
    {
        _options = options;
        _d = options.Dimension;
        int ids = options.ItemIds ? rows : 0;
        bool adam = options.IdOptimizer == IdOptimizer.LazyAdam;
        Embeddings = new PagedRows(ids, _d);
        FirstMoments = new PagedRows(adam ? ids : 0, _d);
        SecondMoments = new PagedRows(ids, adam ? _d : 1);
        Features = new PagedRows(rows, options.FeatureLength);
        Updated = new PagedArray<long>(ids);
        LogDecays = new PagedArray<double>(ids);
    }

    /// <summary>Gets the id embeddings [capacity × D].</summary>
    public PagedRows Embeddings { get; }

    /// <summary>Gets Adam's first moments [capacity × D].</summary>
    public PagedRows FirstMoments { get; }

    /// <summary>Gets Adam's second moments [capacity × D], or Adagrad's accumulators [capacity × 1].</summary>
    public PagedRows SecondMoments { get; }

    /// <summary>Gets the frozen features [capacity × F].</summary>
    public PagedRows Features { get; }

    /// <summary>Gets the number of optimiser steps at each row's last update.</summary>
    public PagedArray<long> Updated { get; }

    /// <summary>Gets the value of <see cref="LogDecay"/> already applied to each row's embedding.</summary>
    public PagedArray<double> LogDecays { get; }

    /// <summary>Gets or sets Σ ln(1 − learning rate · decay) over all steps.</summary>
    public double LogDecay { get; set; }

    /// <summary>Gets or sets one above the highest row ever used.</summary>
    public int Used { get; set; }

    /// <summary>Resets a row for a new item.</summary>
    public void Initialize(int row, ulong itemKey, long updates)
    {
        Used = Math.Max(Used, row + 1);
        if (_options.ItemIds)
        {
            Touch(row);
            ItemInitializer.Fill(_options.Seed, itemKey, _options.ItemDeviation, Embeddings.Row(row));
            SecondMoments.Row(row).Clear();
            if (FirstMoments.Rows > 0)
            {
                FirstMoments.Row(row).Clear();
            }

            (Updated.Change(row), LogDecays.Change(row)) = (updates, LogDecay);
        }

        Features.Touch(row);
        Features.Row(row).Clear();
    }

    /// <summary>embedding += the row's id embedding, fully decayed.</summary>
    public void AddEmbedding(int row, Span<float> embedding)
    {
        double missed = LogDecay - LogDecays[row];
        if (missed == 0)
        {
            TensorPrimitives.Add(embedding, Embeddings.Row(row), embedding);
        }
        else
        {
            TensorPrimitives.MultiplyAdd(Embeddings.Row(row), (float)Math.Exp(missed), embedding, embedding);
        }
    }

    /// <summary>Updates one row.</summary>
    /// <param name="row">Row of the item table.</param>
    /// <param name="gradient">[D].</param>
    /// <param name="updates">Number of this optimiser step, from 1.</param>
    /// <param name="step">Constants of the step.</param>
    /// <param name="logDecay">Σ ln(1 − learning rate · decay), including this step.</param>
    public void Update(int row, ReadOnlySpan<float> gradient, long updates, in AdamWStep step, double logDecay)
    {
        Touch(row);
        Span<float> values = Embeddings.Row(row);
        double missed = LogDecay - LogDecays[row];
        if (missed != 0)
        {
            TensorPrimitives.Multiply(values, (float)Math.Exp(missed), values);
        }

        if (_options.IdOptimizer == IdOptimizer.LazyAdam)
        {
            UpdateAdam(row, values, gradient, updates, step);
        }
        else
        {
            UpdateAdagrad(row, values, gradient, step);
        }

        (Updated.Change(row), LogDecays.Change(row)) = (updates, logDecay);
    }

    private void Touch(int row)
    {
        Embeddings.Touch(row);
        SecondMoments.Touch(row);
        if (FirstMoments.Rows > 0)
        {
            FirstMoments.Touch(row);
        }
    }

    private void UpdateAdam(int row, Span<float> values, ReadOnlySpan<float> gradient, long updates, in AdamWStep step)
    {
        Span<float> first = FirstMoments.Row(row);
        Span<float> second = SecondMoments.Row(row);
        long idle = updates - 1 - Updated[row];
        if (idle > 0)
        {
            TensorPrimitives.Multiply(first, (float)Math.Pow(step.Beta1, idle), first);
            TensorPrimitives.Multiply(second, (float)Math.Pow(step.Beta2, idle), second);
        }

        AdamW.Update(values, gradient, first, second, step);
    }

    private void UpdateAdagrad(int row, Span<float> values, ReadOnlySpan<float> gradient, in AdamWStep step)
    {
        ref float accumulator = ref SecondMoments.Row(row)[0];
        float scale = step.GradientScale;
        accumulator += scale * scale * TensorPrimitives.SumOfSquares(gradient) / _d;
        TensorPrimitives.Multiply(values, 1 - (step.LearningRate * step.WeightDecay), values);
        TensorPrimitives.MultiplyAdd(gradient, -step.LearningRate * scale / (MathF.Sqrt(accumulator) + step.Epsilon), values, values);
    }
}
