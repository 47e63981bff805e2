using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.Cpu;

/// <content>State.</content>
public partial class CpuEngine
{
    private protected readonly CopyBuffers _copies = new();
    private EngineSnapshot? _snapshot;

    /// <inheritdoc/>
    public override TensorSnapshot BeginSnapshot()
    {
        if (_snapshot is { IsDisposed: false })
        {
            throw new InvalidOperationException("A snapshot is active; dispose it before the next begins.");
        }

        return _snapshot = new EngineSnapshot(StateTensors());
    }

    /// <inheritdoc/>
    public override TensorSource CopyParameters()
    {
        // Separate buffers: those of the snapshot may be in use.
        var copies = new CopyBuffers();
        return new EngineSnapshot([
            .. _parameters.All.Select(parameter => StateTensor.Copy(parameter.Name, _parameters.Values, parameter, copies)),
        ]);
    }

    /// <inheritdoc/>
    public override void Restore(TensorSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (_snapshot is { IsDisposed: false })
        {
            throw new InvalidOperationException("A snapshot is active; dispose it before the state is replaced.");
        }

        var reader = new StateReader(source);
        reader.CheckNames(StateTensors());
        CheckShare(reader);
        long[] counters = new long[2];
        double[] logDecay = new double[1];
        reader.Read("optimizer.counters", counters);
        reader.Read("optimizer.log_decay", logDecay);
        int bank = (int)reader.Rows("bank.vectors", Model.Dimension);
        _bank.Reset(bank);
        reader.Read("bank.vectors", _bank.Vectors.Data.Slice(_bank.First * Model.Dimension, bank * Model.Dimension));
        reader.Read("bank.rows", _bank.Rows);
        reader.Read("bank.log_q", _bank.LogQ);
        reader.Read("bank.steps", _bank.Steps);
        if (Model.DistinctBank)
        {
            reader.Read("bank.ages", _bank.Ages);
        }

        foreach (Parameter parameter in _parameters.All)
        {
            reader.Read(parameter.Name, _parameters.Value(parameter));
            reader.Read(parameter.Name + ".adam_m", _parameters.FirstMoments.AsSpan(parameter.Offset, parameter.Length));
            reader.Read(parameter.Name + ".adam_v", _parameters.SecondMoments.AsSpan(parameter.Offset, parameter.Length));
        }

        RestoreItems(reader);
        (_updates, _step) = (counters[0], counters[1]);
        _table.LogDecay = logDecay[0];
    }

    private void RestoreItems(StateReader reader)
    {
        int used = 0;
        if (Model.ItemIds)
        {
            used = (int)reader.Rows("items.embedding", Model.Dimension);
            ReadRows(reader, "items.embedding", _table.Embeddings);
            if (Model.IdOptimizer == IdOptimizer.LazyAdam)
            {
                ReadRows(reader, "items.embedding.adam_m", _table.FirstMoments);
                ReadRows(reader, "items.embedding.adam_v", _table.SecondMoments);
            }
            else
            {
                ReadRows(reader, "items.embedding.adagrad", _table.SecondMoments);
            }

            _table.Updated.Data.Clear();
            _table.LogDecays.Data.Clear();
            reader.Read("items.embedding.updated", _table.Updated.Data[..used]);
            reader.Read("items.embedding.log_decay", _table.LogDecays.Data[..used]);
        }

        if (Model.FeatureLength > 0)
        {
            used = (int)reader.Rows("items.features", Model.FeatureLength);
            ReadRows(reader, "items.features", _table.Features);
        }

        _table.Used = used;
    }

    private static void ReadRows(StateReader reader, string name, PagedRows rows)
    {
        int count = (int)reader.Rows(name, rows.Columns);
        if (count > rows.Rows)
        {
            throw new StateMismatchException(
                $"{name} has {count} rows; the model's ItemCapacity is {rows.Rows}. Start with ItemCapacity of at least {count}."
            );
        }

        rows.Data.Clear();
        reader.Read(name, rows.Data[..(count * rows.Columns)]);
    }

    // All state that a restart needs, in storage order. Item rows are stored up to the highest ever used.
    private List<StateTensor> StateTensors()
    {
        var tensors = new List<StateTensor>();
        foreach (Parameter parameter in _parameters.All)
        {
            tensors.Add(StateTensor.Copy(parameter.Name, _parameters.Values, parameter, _copies));
            tensors.Add(StateTensor.Copy(parameter.Name + ".adam_m", _parameters.FirstMoments, parameter, _copies));
            tensors.Add(StateTensor.Copy(parameter.Name + ".adam_v", _parameters.SecondMoments, parameter, _copies));
        }

        int used = _table.Used;
        if (Model.ItemIds)
        {
            bool adam = Model.IdOptimizer == IdOptimizer.LazyAdam;
            tensors.Add(StateTensor.Share("items.embedding", _table.Embeddings, 0, used));
            if (adam)
            {
                tensors.Add(StateTensor.Share("items.embedding.adam_m", _table.FirstMoments, 0, used));
            }

            tensors.Add(StateTensor.Share(adam ? "items.embedding.adam_v" : "items.embedding.adagrad", _table.SecondMoments, 0, used));
            tensors.Add(StateTensor.Share("items.embedding.updated", _table.Updated, used));
            tensors.Add(StateTensor.Share("items.embedding.log_decay", _table.LogDecays, used));
        }

        if (Model.FeatureLength > 0)
        {
            tensors.Add(StateTensor.Share("items.features", _table.Features, 0, used));
        }

        tensors.Add(StateTensor.Share("bank.vectors", _bank.Vectors, _bank.First, _bank.Count));
        tensors.Add(StateTensor.Copy<int>("bank.rows", _bank.Rows, _copies));
        tensors.Add(StateTensor.Copy<float>("bank.log_q", _bank.LogQ, _copies));
        tensors.Add(StateTensor.Copy<long>("bank.steps", _bank.Steps, _copies));
        if (Model.DistinctBank)
        {
            tensors.Add(StateTensor.Copy<long>("bank.ages", _bank.Ages, _copies));
        }

        tensors.Add(StateTensor.Copy<long>("optimizer.counters", [_updates, _step], _copies));
        tensors.Add(StateTensor.Copy<double>("optimizer.log_decay", [_table.LogDecay], _copies));
        AddShare(tensors);
        return tensors;
    }

    /// <summary>Adds what says which part of the item rows the state has.</summary>
    private protected virtual void AddShare(List<StateTensor> tensors) { }

    /// <summary>Checks that a state has the item rows that are stored here.</summary>
    private protected virtual void CheckShare(StateReader reader) { }
}
