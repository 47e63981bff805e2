using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.State;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch.Towers;

/// <summary>
/// Several interests per user by nested dynamic routing [MIND]. Predicts only at last steps. A prediction is scored by the interest
/// with the highest score for its label; gradients flow through the votes, not through the routing weights.
/// </summary>
internal sealed class MindModule : TowerModule
{
    private const double Epsilon = 1e-9;

    // Keeps the cosine of an empty interest finite, as in the ranking.
    private const double Tiny = 1e-6;
    private readonly Increments _widths;
    private readonly int _iterations;
    private readonly bool _isCosine;
    private readonly NestedLinearModule _votes;
    private readonly NestedLinearModule _dense;
    private readonly DeviceParameter _routing;

    public MindModule(DenseParameters dense, ModelOptions options, Increments widths, DropoutSource dropout)
        : base(dense, dropout, nameof(MindModule))
    {
        _widths = widths;
        _iterations = options.RoutingIterations;
        _isCosine = options.Cosine;
        VectorsPerUser = options.Interests;
        _votes = new NestedLinearModule(dense, "tower.votes", bias: false);
        _dense = new NestedLinearModule(dense, "tower.dense");
        _routing = dense["tower.routing"];
        register_module("votes", _votes);
        register_module("dense", _dense);
        register_parameter("routing", _routing);
    }

    public override int VectorsPerUser { get; }

    public override Tensor Choose(Tensor outputs, Tensor labels)
    {
        using DisposeScope scope = NewDisposeScope();
        long rows = labels.shape[0],
            width = _widths.Dimension;
        Tensor interests = outputs.view(rows, VectorsPerUser, width);
        Tensor scores = interests.detach().bmm(labels.detach().unsqueeze(2)).view(rows, VectorsPerUser);
        Tensor best = (_isCosine ? scores.div(interests.detach().norm(2, false, 2).add(Tiny)) : scores).argmax(1);
        Tensor chosen = arange(rows, dtype: ScalarType.Int64, device: best.device).mul(VectorsPerUser).add(best);
        return interests.view(-1, width).index_select(0, chosen).MoveToOuterDisposeScope();
    }

    protected override Tensor Encode(TowerInput input)
    {
        long width = _widths.Dimension,
            rows = input.Predictions.shape[0];
        Tensor sequence = input.Predictions.floor_divide(input.Steps);
        Tensor last = input.Predictions.sub(sequence.mul(input.Steps));
        Tensor votes = _votes.forward(input.Items).view(-1, input.Steps, width).index_select(0, sequence);
        Tensor distances = last.unsqueeze(1).sub(arange(input.Steps, dtype: ScalarType.Int64, device: last.device).unsqueeze(0));
        Tensor[] weights = Route(votes.detach(), distances);
        Tensor capsules = Squash(Sum(votes, weights));
        return _dense.forward(capsules.view(-1, width)).view(rows, VectorsPerUser * width);
    }

    // Routing weights of each width after the last iteration [K] of [B × T × J]; 0 after the last step.
    private Tensor[] Route(Tensor votes, Tensor distances)
    {
        using IDisposable noGrad = no_grad();
        Tensor steps = distances.ge(0).to_type(ScalarType.Float32).unsqueeze(2);
        Tensor prior = _routing
            .detach()
            .t()
            .index_select(0, distances.clamp_min(0).view(-1))
            .view(distances.shape[0], distances.shape[1], VectorsPerUser);
        Tensor[] agreements = Enumerable.Range(0, _widths.Count).Select(_ => zeros_like(prior)).ToArray();
        for (int round = 0; ; round++)
        {
            Tensor[] weights = Weigh(prior, agreements, steps);
            if (round + 1 == _iterations)
            {
                return weights;
            }

            Tensor capsules = Squash(Sum(votes, weights));
            for (int k = 0; k < _widths.Count; k++)
            {
                agreements[k].add_(Part(votes, k).bmm(Part(capsules, k).transpose(1, 2)));
            }
        }
    }

    // Increment k is routed by the agreement on the prefix up to w_k.
    private static Tensor[] Weigh(Tensor prior, Tensor[] agreements, Tensor steps)
    {
        var weights = new Tensor[agreements.Length];
        Tensor agreed = prior;
        for (int k = 0; k < weights.Length; k++)
        {
            agreed = agreed.add(agreements[k]);
            weights[k] = agreed.softmax(2).mul(steps);
        }

        return weights;
    }

    // [B × J × D]
    private Tensor Sum(Tensor votes, Tensor[] weights) =>
        cat([.. weights.Select((weight, k) => weight.transpose(1, 2).bmm(Part(votes, k)))], 2);

    // Increment k is squashed by the length of the prefix up to w_k.
    private Tensor Squash(Tensor sums)
    {
        var parts = new Tensor[_widths.Count];
        Tensor? square = null;
        for (int k = 0; k < parts.Length; k++)
        {
            Tensor part = Part(sums, k);
            Tensor own = part.square().sum(2, keepdim: true);
            square = square is null ? own : square.add(own);
            parts[k] = part.mul(square.add(Epsilon).sqrt().div(square.add(1)));
        }

        return cat(parts, 2);
    }

    private Tensor Part(Tensor values, int k) => values.narrow(2, _widths.Start(k), _widths.Length(k));
}
