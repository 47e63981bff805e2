using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.State;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Towers;

/// <summary>
/// One block of the fmrlrec tower. Pre-norm: h = x + LRU(norm(x)), out = h + FFN(norm(h)). Post-norm: h = norm(x + LRU(x)),
/// out = norm(h + FFN(h)).
/// </summary>
internal sealed class LruBlockModule : nn.Module<Tensor, long, Tensor?, Tensor>
{
    private readonly bool _isPreNorm;
    private readonly IncrementNormModule _mixNorm;
    private readonly IncrementNormModule _ffnNorm;
    private readonly LruModule _lru;
    private readonly GatedFfnModule _ffn;
    private readonly DropoutSource _dropout;

    public LruBlockModule(DenseParameters dense, string name, Increments widths, NormPlacement placement, DropoutSource dropout)
        : base(nameof(LruBlockModule))
    {
        _isPreNorm = placement == NormPlacement.Before;
        _mixNorm = new IncrementNormModule(dense, $"{name}.mix_norm", widths);
        _lru = new LruModule(dense, $"{name}.lru", widths);
        _ffnNorm = new IncrementNormModule(dense, $"{name}.ffn_norm", widths);
        _ffn = new GatedFfnModule(dense, $"{name}.ffn", dropout);
        _dropout = dropout;
        register_module("mix_norm", _mixNorm);
        register_module("lru", _lru);
        register_module("ffn_norm", _ffnNorm);
        register_module("ffn", _ffn);
    }

    /// <summary>[S·T × D] → [S·T × D], or [n × D] at the selected rows: in the last block only they are needed after the
    /// recurrence.</summary>
    public override Tensor forward(Tensor input, long steps, Tensor? selected)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor residual = selected is null ? input : input.index_select(0, selected);
        Tensor mixed = residual.add(_dropout.Apply(_lru.forward(_isPreNorm ? _mixNorm.forward(input) : input, steps, selected)));
        if (_isPreNorm)
        {
            return mixed.add(_dropout.Apply(_ffn.forward(_ffnNorm.forward(mixed)))).MoveToOuterDisposeScope();
        }

        Tensor hidden = _mixNorm.forward(mixed);
        return _ffnNorm.forward(hidden.add(_dropout.Apply(_ffn.forward(hidden)))).MoveToOuterDisposeScope();
    }
}
