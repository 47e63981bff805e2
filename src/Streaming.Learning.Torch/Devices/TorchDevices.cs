using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Devices;

/// <summary>Opens a device by name; whatever goes wrong becomes one line that says what to do.</summary>
internal static class TorchDevices
{
    /// <summary>Opens a device and shows that it computes.</summary>
    /// <param name="name">"cpu", "cuda" or "cuda:N".</param>
    /// <param name="tf32">Whether products of float32 matrices may use TF32.</param>
    /// <exception cref="TorchDeviceException">The device cannot be used.</exception>
    public static Device Open(string name, bool tf32)
    {
        var device = Parse(name);
        try
        {
            if (device.type == DeviceType.CUDA)
            {
                TorchLibrary.RequireCuda(name);
            }

            TorchLibrary.Load();
            Load(device.type);
            if (device.type == DeviceType.CUDA)
            {
                RequireCudaDevice(name, device.index);
                backends.cuda.matmul.allow_tf32 = tf32;
                backends.cudnn.allow_tf32 = tf32;
            }

            Probe(device);
            return device;
        }
        catch (TorchDeviceException)
        {
            throw;
        }
        catch (Exception error) when (error is ExternalException or InvalidOperationException or NotSupportedException or TypeInitializationException or DllNotFoundException or EntryPointNotFoundException)
        {
            throw new TorchDeviceException($"Device '{name}' could not be used: {FirstLine(error)}. {Advice(device)}", error);
        }
    }

    /// <summary>What the library said, in one line.</summary>
    public static string FirstLine(Exception error)
    {
        // TorchSharp appends where it looked for its native library, in many lines.
        string message = error.GetBaseException().Message.Trim().Split('\n', 2)[0].Split(" Trace from ", 2)[0];
        return message.TrimEnd('.', ':', ' ', '\r');
    }

    private static Device Parse(string name)
    {
        string[] parts = name.Split(':');
        bool indexed = parts.Length == 2 && int.TryParse(parts[1], out int index) && index is >= 0 and < 128;
        return (parts[0], parts.Length) switch
        {
            ("cpu", 1) => new Device(DeviceType.CPU),
            ("cuda", 1) => new Device(DeviceType.CUDA, 0),
            ("cuda", 2) when indexed => new Device(DeviceType.CUDA, int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture)),
            _ => throw new TorchDeviceException($"Device is '{name}'; allowed: cpu, cuda, cuda:N."),
        };
    }

    // Before it throws, TorchSharp prints where it looked, in dozens of lines.
    private static void Load(DeviceType type)
    {
        var output = Console.Out;
        Console.SetOut(TextWriter.Null);
        try
        {
            InitializeDeviceType(type);
        }
        finally
        {
            Console.SetOut(output);
        }
    }

    private static void RequireCudaDevice(string name, int index)
    {
        int count = cuda.device_count();
        if (index >= count)
        {
            throw new TorchDeviceException($"Device '{name}' was asked for; {count} CUDA device(s) are visible. Set STREAMING__Training__Device to cuda:0 … cuda:{count - 1}, or CUDA_VISIBLE_DEVICES to show more.");
        }
    }

    // A card that the library has no code for fails here, not in the first step.
    private static void Probe(Device device)
    {
        using var scope = NewDisposeScope();
        var two = ones(8, 8, device: device).mm(ones(8, 8, device: device)).sum().cpu();
        if (two.item<float>() != 512)
        {
            throw new TorchDeviceException($"Device '{device}' computes wrong products; check its driver, or set STREAMING__Training__Device=cpu.");
        }
    }

    private static string Advice(Device device) => device.type == DeviceType.CUDA
        ? "Looked for an NVIDIA driver and a card by CUDA 12: check nvidia-smi on the host, run the container with --gpus all, build with -p:Torch=cuda, or set STREAMING__Training__Device=cpu."
        : "Set STREAMING__Training__Engine=Cpu to train without libtorch.";
}
