using Streaming.Learning.Torch.Softmax;
using Streaming.Learning.Torch.Tests.Devices;
using Streaming.Models.Layers;
using Streaming.Models.Options;

namespace Streaming.Learning.Torch.Tests.Softmax;

public class NestedSoftmaxLossTests : SoftmaxLossContract
{
    internal override ISoftmaxLoss Create(ModelOptions model) =>
        new NestedSoftmaxLoss(model, new Increments(model.Widths), TestDevice.Device);
}
