using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Devices;

/// <summary>Opens a device by name; any failure becomes one line that says what to do.</summary>
internal static class TorchDevices
{
    /// <summary>Opens a device and verifies that it computes.</summary>
    /// <param name="name">"cpu", "cuda" or "cuda:N".</param>
    /// <param name="tf32">Whether products of float32 matrices may use TF32.</param>
    /// <exception cref="TorchDeviceException">The device is unusable.</exception>
    public static Device Open(string name, bool tf32)
    {
        Device device = Parse(name);
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
        catch (Exception error)
            when (error
                    is ExternalException
                        or InvalidOperationException
                        or NotSupportedException
                        or TypeInitializationException
                        or DllNotFoundException
                        or EntryPointNotFoundException
            )
        {
            throw new TorchDeviceException($"Cannot use device '{name}': {FirstLine(error)}. {Advice(device)}", error);
        }
    }

    /// <summary>The library's error in one line.</summary>
    public static string FirstLine(Exception error)
    {
        // TorchSharp appends the paths it searched for its native library, in many lines.
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

    // Before it throws, TorchSharp prints the paths it searched, in dozens of lines.
    private static void Load(DeviceType type)
    {
        TextWriter output = Console.Out;
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
            throw new TorchDeviceException(
                $"Device '{name}' does not exist: {count} CUDA device(s) are visible. Set STREAMING__Training__Device to cuda:0 … "
                    + $"cuda:{count - 1}, or expose more with CUDA_VISIBLE_DEVICES."
            );
        }
    }

    // A GPU that the library has no code for fails here instead of in the first step.
    private static void Probe(Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor two = ones(8, 8, device: device).mm(ones(8, 8, device: device)).sum().cpu();
        if (two.item<float>() != 512)
        {
            throw new TorchDeviceException(
                $"Device '{device}' computes wrong products; check its driver, or set STREAMING__Training__Device=cpu."
            );
        }
    }

    private static string Advice(Device device) =>
        device.type == DeviceType.CUDA
            ? "CUDA needs an NVIDIA driver and a GPU: check nvidia-smi on the host, run the container with --gpus all, build with "
                + "-p:Torch=cuda, or set STREAMING__Training__Device=cpu."
            : "Set STREAMING__Training__Engine=Cpu to train without libtorch.";
}
