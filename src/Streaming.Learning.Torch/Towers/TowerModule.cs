using Streaming.Learning.Torch.Modules;
using Streaming.Learning.Torch.State;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.Towers;
using TorchSharp;
using static TorchSharp.torch;
using DeviceParameter = TorchSharp.Modules.Parameter;

namespace Streaming.Learning.Torch.Towers;

/// <summary>Maps the item vectors of histories to user vectors; the counterpart of <see cref="UserTower"/>.</summary>
internal abstract class TowerModule : nn.Module<TowerInput, Tensor>
{
    protected TowerModule(DenseParameters dense, DropoutSource dropout, string name)
        : base(name)
    {
        Start = dense["tower.start"];
        Dropout = dropout;
        register_parameter("start", Start);
    }

    /// <summary>Gets the vector of a user without history [D].</summary>
    public DeviceParameter Start { get; }

    /// <summary>Gets the number of vectors per user: 1, or the number of interests.</summary>
    public virtual int VectorsPerUser => 1;

    /// <summary>Gets the dropout masks.</summary>
    protected DropoutSource Dropout { get; }

    /// <summary>Creates the tower that the options name.</summary>
    public static TowerModule Create(DenseParameters dense, ModelOptions options, Increments widths, DropoutSource dropout) =>
        options.Tower switch
        {
            TowerKind.FmrlRec => new FmrlRecModule(dense, options, widths, dropout),
            TowerKind.YoutubeDnn => new YoutubeDnnModule(dense, dropout),
            TowerKind.Gru4Rec => new Gru4RecModule(dense, widths, dropout),
            TowerKind.Mind => new MindModule(dense, options, widths, dropout),
            _ => throw new ArgumentException($"Tower is {options.Tower}; allowed: {string.Join(", ", Enum.GetNames<TowerKind>())}."),
        };

    /// <summary>Vectors at the predictions [B × VectorsPerUser·D].</summary>
    public sealed override Tensor forward(TowerInput input)
    {
        using DisposeScope scope = NewDisposeScope();
        return Encode(input with { Items = Dropout.Apply(input.Items) }).MoveToOuterDisposeScope();
    }

    /// <summary>The vector that scores each prediction in training [B × D].</summary>
    /// <param name="outputs">The output of <see cref="forward"/>.</param>
    /// <param name="labels">[B × D] the positives' vectors.</param>
    public virtual Tensor Choose(Tensor outputs, Tensor labels) => outputs;

    /// <summary>The tower-specific part; dropout has been applied to its input.</summary>
    protected abstract Tensor Encode(TowerInput input);
}
