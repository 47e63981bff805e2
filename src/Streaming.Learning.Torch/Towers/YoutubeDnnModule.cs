using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.State;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Towers;

/// <summary>Mean of the history including the start vector, then one nested dense layer.</summary>
internal sealed class YoutubeDnnModule : TowerModule
{
    private readonly NestedLinearModule _dense;

    public YoutubeDnnModule(DenseParameters dense, DropoutSource dropout)
        : base(dense, dropout, nameof(YoutubeDnnModule))
    {
        _dense = new NestedLinearModule(dense, "tower.dense");
        register_module("dense", _dense);
    }

    protected override Tensor Encode(TowerInput input)
    {
        long width = input.Items.shape[1];
        Tensor counts = arange(1, input.Steps + 1, dtype: ScalarType.Float32, device: input.Items.device).unsqueeze(1);
        Tensor means = input.Items.view(-1, input.Steps, width).cumsum(1).div(counts).view(-1, width);
        return _dense.forward(means.index_select(0, input.Predictions));
    }
}
