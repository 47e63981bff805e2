using Streaming.Learning.Cpu;
using Streaming.Models.Layers;
using Streaming.Models.Options;
using Streaming.Models.State;
using Streaming.Models.Towers;

namespace Streaming.Learning.Torch.State;

/// <summary>The dense parameters of a model as the CPU engine declares and initialises them: both engines take names, shapes and
/// values from one place.</summary>
internal static class ModelDeclaration
{
    /// <summary>Parameters with their initial values.</summary>
    public static ParameterSet Create(ModelOptions model)
    {
        var set = new ParameterSet();

        // The layers only declare parameters here; their table is never used, so it is minimal.
        var items = new ItemEncoder(set, new ItemRows(model, 2), model);
        var tower = UserTower.Create(set, model, new Increments(model.Widths));
        set.Allocate();
        items.Initialize(model.Seed, model.WeightScale);
        tower.Initialize();
        return set;
    }
}
