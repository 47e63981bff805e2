using System.Globalization;
using Streaming.Learning.Frequency;
using Streaming.Learning.Items;
using Streaming.Learning.WarmStarts;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Training;

/// <content>Warm start from another model.</content>
public sealed partial class Trainer
{
    /// <summary>
    /// Initialises this trainer from another model's state: items, frequencies and replay examples always; weights as far as they
    /// fit; optimiser state, memory bank and step if the two models agree in everything that determines the meaning of values. Sizes
    /// of tables may differ. Evaluation starts over. Marks every item for publication.
    /// </summary>
    /// <param name="source">The other model's state.</param>
    /// <param name="whole">Whether to reject a model that differs.</param>
    /// <param name="sequence">Number of the last batch of the matching ingestion state; −1: a new stream.</param>
    /// <exception cref="StateMismatchException">The models differ where they must not (names each difference), or the state is
    /// damaged.</exception>
    /// <exception cref="InvalidOperationException">This trainer has already been trained.</exception>
    public WarmStart Adopt(TrainedState source, bool whole, long sequence = -1)
    {
        ArgumentNullException.ThrowIfNull(source);
        var fit = new Fit(source.Model, Model);
        if (whole && !fit.Whole)
        {
            throw new StateMismatchException(
                $"The model in '{source.Path}' does not match the settings: {string.Join("; ", fit.Differences)}. Use the model's "
                    + "values, or train a model with these settings."
            );
        }

        var tensors = new TensorReader(source.Trainer);
        IReadOnlyDictionary<string, string> shape = source.Shape;
        KnownItem[] items = StoredItems.Read(tensors);
        var frequency = FrequencyEstimator.Read(
            tensors,
            _options.Frequency with
            {
                Tables = Number(shape, "Frequency.Tables"),
            },
            source.Model.Seed
        );
        WarmStart start = Adopt(
            source.Engine,
            source.Model,
            [.. items.Select(item => frequency.Describe(item))],
            Number(shape, "Items.FallbackRows"),
            frequency.Draws,
            out int[] oldRows
        );
        _replay.Adopt(tensors);
        _counts.Adopt(tensors, oldRows);
        _evaluation.Adopt(tensors, oldRows);
        if (fit.Whole)
        {
            _bank.Adopt(tensors);
        }

        _counters = source.Counters with { Steps = fit.Whole ? source.Step : 0 };
        _sequence = sequence;
        return start;
    }

    /// <summary>Initialises this trainer with parameters, items and frequencies of an engine trained without a trainer.</summary>
    /// <param name="engine">Its state.</param>
    /// <param name="model">Its options.</param>
    /// <param name="items">Its items; with gaps and silences if frequencies are known.</param>
    /// <param name="draws">Number of events that these were counted over.</param>
    /// <param name="steps">Number of steps of the engine.</param>
    /// <exception cref="InvalidOperationException">This trainer has already been trained.</exception>
    public WarmStart Adopt(TensorSource engine, ModelOptions model, IReadOnlyList<KnownItem> items, long draws, long steps)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(items);
        WarmStart start = Adopt(engine, model, items, fallbackRows: 0, draws, out _);
        _counters.Steps = steps;
        return start;
    }

    private WarmStart Adopt(
        TensorSource engine,
        ModelOptions model,
        IReadOnlyList<KnownItem> items,
        int fallbackRows,
        long draws,
        out int[] oldRows
    )
    {
        if (_counters.Batches > 0 || _items.Count > 0)
        {
            throw new InvalidOperationException("Only an untrained trainer can adopt another model's state.");
        }

        IReadOnlyList<KnownItem> kept = _items.Adopt(items);
        _frequency.Adopt(kept, draws);
        int[] rows = Enumerable.Repeat(-1, Math.Max(_items.HighWater, _items.FallbackRows)).ToArray();
        ulong[] keys = new ulong[rows.Length];
        for (int row = 0; row < rows.Length; row++)
        {
            // Items share fallback rows by hash: the rows keep their meaning only while their number is unchanged.
            bool fallback = row < _items.FallbackRows;
            rows[row] = fallback ? (fallbackRows == _items.FallbackRows ? row : -1) : kept[row - _items.FallbackRows].Row;
            keys[row] = fallback ? ItemTable.FallbackKey(row) : _items.KeyOf(row);
        }

        using TensorSource fresh = _engine.CopyParameters();
        using var state = new AdoptedState(engine, model, fresh, Model, rows, keys);
        _engine.Restore(state);
        RefreshAll();
        Metrics.Update(this);
        oldRows = rows;
        return Describe(new Fit(model, Model), model.DistinctBank, kept.Count, items.Count);
    }

    private WarmStart Describe(Fit fit, bool oldDistinct, int kept, int items)
    {
        var taken = new List<string> { kept == items ? $"{items} items" : $"the {kept} warmest of {items} items", "frequencies" };
        var left = new List<string>();
        if (fit.Whole)
        {
            taken.Add($"all weights and optimiser state, {_engine.BankCount} bank entries");
            left.AddRange(
                Model.DistinctBank == oldDistinct
                    ? []
                    : [$"the bank, because Model.DistinctBank is {Model.DistinctBank}, the other has {oldDistinct}"]
            );
            return new WarmStart(taken, left);
        }

        (fit.Tower ? taken : left).Add("user tower");
        (fit.Projection ? taken : left).AddRange(Model.FeatureGroups.Count > 0 ? ["item projection"] : []);
        (fit.Embeddings ? taken : left).AddRange(Model.ItemIds ? [$"id embeddings (the first {fit.Columns} numbers)"] : []);
        left.Add("optimiser state and bank");
        left.Add($"because {string.Join("; ", fit.Differences)}");
        return new WarmStart(taken, left);
    }

    private static int Number(IReadOnlyDictionary<string, string> shape, string name) =>
        shape.TryGetValue(name, out string? text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new StateMismatchException($"The checkpoint's manifest lacks the number {name}.");
}
