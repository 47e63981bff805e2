using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Benchmarks.Libtorch;

/// <summary>The whole training step in libtorch: cross-batch negatives, nested widths, AdamW, and Adam on the step's rows.</summary>
internal sealed class StepPeer
{
    private readonly ModelOptions _model;
    private readonly AdamPeer _adam;
    private readonly List<(Tensor Values, Tensor First, Tensor Second, double Decay)> _dense;
    private readonly Tensor _items;
    private readonly Tensor _itemsFirst;
    private readonly Tensor _itemsSecond;
    private readonly float _logQ;
    private Tensor _bank;
    private Tensor _bankIds;

    /// <summary>Creates the step's state with an empty bank.</summary>
    /// <param name="model">The engine's model.</param>
    /// <param name="items">Embeddings [items × D].</param>
    /// <param name="learningRate">Learning rate of every step.</param>
    /// <param name="logQ">ln q of every candidate.</param>
    public StepPeer(ModelOptions model, float[] items, double learningRate, float logQ)
    {
        (_model, _logQ, _adam) = (model, logQ, new AdamPeer(model, learningRate));
        Tower = new TowerPeer(model);
        Places = new ParameterPlaces(Tower, model.Widths);
        _dense =
        [
            .. Tower.Parameters.Select(pair =>
                (
                    (Tensor)pair.Value,
                    zeros_like(pair.Value),
                    zeros_like(pair.Value),
                    pair.Key.EndsWith(".weight", StringComparison.Ordinal) ? (double)model.WeightDecay : 0
                )
            ),
        ];
        _items = tensor(items, [items.Length / model.Dimension, model.Dimension]);
        _itemsFirst = zeros_like(_items);
        _itemsSecond = zeros_like(_items);
        _bank = empty(0, model.Dimension);
        _bankIds = empty(0, dtype: ScalarType.Int64);
    }

    /// <summary>Gets the tower.</summary>
    public TowerPeer Tower { get; }

    /// <summary>Gets the mapping of the engine's parameters to the tower's.</summary>
    public ParameterPlaces Places { get; }

    /// <summary>Gets the distinct item rows of the last step, increasing.</summary>
    public long[] Rows { get; private set; } = [];

    /// <summary>Gets the gradients of <see cref="Rows"/> in the last step [n × D].</summary>
    public float[] RowGradients { get; private set; } = [];

    /// <summary>Gets or sets whether to keep <see cref="RowGradients"/>. Default false: a copy that the step does not need.</summary>
    public bool KeepRowGradients { get; set; }

    /// <summary>Runs one step.</summary>
    /// <param name="histories">[B × L] rows, history after history.</param>
    /// <param name="positives">[B] rows.</param>
    /// <returns>The loss.</returns>
    public double Run(int[] histories, int[] positives)
    {
        using DisposeScope scope = NewDisposeScope();
        long batch = positives.Length;
        Tensor history = tensor(histories, [batch, histories.Length / batch], dtype: ScalarType.Int64).t(),
            positive = tensor(positives, dtype: ScalarType.Int64);
        (Tensor rows, Tensor? slots, _) = cat([history.flatten(), positive]).unique(return_inverse: true);
        using TorchSharp.Modules.Embedding embeddings = nn.Embedding_from_pretrained(_items.index_select(0, rows), freeze: false);
        Tensor users = Tower.Forward(embeddings.forward(slots!.narrow(0, 0, histories.Length).view(-1, batch)));
        Tensor candidates = embeddings.forward(slots!.narrow(0, histories.Length, batch));
        Tensor loss = Loss(users, candidates, positive);
        foreach (DeviceParameter parameter in Tower.Parameters.Values)
        {
            parameter.grad = null;
        }

        loss.backward();
        using (no_grad())
        {
            Update(rows, embeddings.weight!.grad!);
            Enqueue(candidates.detach(), positive);
        }

        return loss.item<float>();
    }

    /// <summary>Adds items to the bank without a step.</summary>
    public void Enqueue(int[] rows)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor ids = tensor(rows, dtype: ScalarType.Int64);
        Enqueue(_items.index_select(0, ids), ids);
    }

    // Each width's scores from the previous width's; the bank separately, so that it needs no gradient.
    private Tensor Loss(Tensor users, Tensor candidates, Tensor positives)
    {
        long batch = positives.shape[0],
            bank = _bank.shape[0];
        Tensor hits = positives.unsqueeze(1).eq(cat([positives, _bankIds]).unsqueeze(0));
        hits.diagonal(0, 0, 1).fill_(false);
        Tensor bias = full([1], -_logQ).expand(batch, batch + bank).masked_fill(hits, float.NegativeInfinity);
        Tensor onBatch = bias.narrow(1, 0, batch),
            onBank = bias.narrow(1, batch, bank),
            total = zeros(1);
        int begin = 0;
        foreach (int width in _model.Widths)
        {
            Tensor part = users.narrow(1, begin, width - begin);
            onBatch = addmm(onBatch, part, candidates.narrow(1, begin, width - begin).t(), 1, 1);
            onBank = addmm(onBank, part, _bank.narrow(1, begin, width - begin).t(), 1, 1);
            begin = width;
            Tensor logSum = bank == 0 ? logsumexp(onBatch, 1) : logaddexp(logsumexp(onBatch, 1), logsumexp(onBank, 1));
            total = total.add(logSum.sub(onBatch.diagonal(0, 0, 1)).mean());
        }

        return total.div(_model.Widths.Count);
    }

    private void Update(Tensor rows, Tensor rowGradients)
    {
        Tensor[] gradients = [.. _dense.Select(parameter => parameter.Values.grad!), rowGradients];
        if (KeepRowGradients)
        {
            (Rows, RowGradients) = (rows.data<long>().ToArray(), rowGradients.data<float>().ToArray());
        }

        float norm = stack(Array.ConvertAll(gradients, gradient => gradient.norm())).norm().item<float>();
        foreach (Tensor gradient in norm > _model.ClipNorm ? gradients : [])
        {
            gradient.mul_(_model.ClipNorm / norm);
        }

        _adam.Update++;
        for (int i = 0; i < _dense.Count; i++)
        {
            _adam.Run(_dense[i].Values, gradients[i], _dense[i].First, _dense[i].Second, _dense[i].Decay);
        }

        _adam.RunRows(_items, rows, rowGradients, _itemsFirst, _itemsSecond);
    }

    private void Enqueue(Tensor candidates, Tensor positives)
    {
        long kept = Math.Min(_bank.shape[0], _model.BankCapacity - positives.shape[0]);
        Tensor bank = cat([candidates, _bank.narrow(0, 0, kept)]),
            ids = cat([positives, _bankIds.narrow(0, 0, kept)]);
        _bank.Dispose();
        _bankIds.Dispose();
        (_bank, _bankIds) = (bank.DetachFromDisposeScope(), ids.DetachFromDisposeScope());
    }
}
