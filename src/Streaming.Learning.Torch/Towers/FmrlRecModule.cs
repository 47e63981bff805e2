using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.State;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Towers;

/// <summary>Full-scale Matryoshka recommender: nested LRU blocks; the user vector is the last step's output.</summary>
internal sealed class FmrlRecModule : TowerModule
{
    private readonly IncrementNormModule? _inputNorm;
    private readonly LruBlockModule[] _blocks;
    private readonly IncrementNormModule? _outputNorm;
    private readonly NestedLinearModule? _outputLinear;

    public FmrlRecModule(DenseParameters dense, ModelOptions options, Increments widths, DropoutSource dropout)
        : base(dense, dropout, nameof(FmrlRecModule))
    {
        _inputNorm = options.InputNorm ? Registered("input_norm", new IncrementNormModule(dense, "tower.input_norm", widths)) : null;
        _blocks =
        [
            .. Enumerable
                .Range(0, options.Layers)
                .Select(i => Registered($"block{i}", new LruBlockModule(dense, $"tower.block{i}", widths, options.Norm, dropout))),
        ];
        _outputNorm = options.OutputNorm ? Registered("output_norm", new IncrementNormModule(dense, "tower.output_norm", widths)) : null;
        _outputLinear = options.OutputLinear ? Registered("output", new NestedLinearModule(dense, "tower.output")) : null;
    }

    protected override Tensor Encode(TowerInput input)
    {
        Tensor x = _inputNorm is null ? input.Items : _inputNorm.forward(input.Items);
        for (int i = 0; i < _blocks.Length; i++)
        {
            x = _blocks[i].forward(x, input.Steps, i == _blocks.Length - 1 ? input.Predictions : null);
        }

        x = _outputNorm is null ? x : _outputNorm.forward(x);
        return _outputLinear is null ? x : _outputLinear.forward(x);
    }

    private T Registered<T>(string name, T module)
        where T : nn.Module
    {
        register_module(name, module);
        return module;
    }
}
