using System.Reflection;
using Microsoft.Extensions.Logging;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Logging;

public class LogEventIdTests
{
    [Fact]
    public void EventIds_OverAllAssemblies_AreUniqueAndGiven()
    {
        Assembly[] assemblies =
        [
            .. Directory
                .GetFiles(AppContext.BaseDirectory, "Streaming.*.dll")
                .Where(path => !path.Contains("Tests", StringComparison.Ordinal))
                .Select(Assembly.LoadFrom),
            typeof(ExitCode).Assembly,
        ];
        (string Method, LoggerMessageAttribute Message)[] messages =
        [
            .. from assembly in assemblies
            from type in assembly.GetTypes()
            from method in type.GetMethods(
                BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly
            )
            let message = method.GetCustomAttribute<LoggerMessageAttribute>()
            where message is not null
            select (type.Name + "." + method.Name, message),
        ];

        Assert.DoesNotContain(messages, entry => entry.Message.EventId <= 0);
        Assert.Empty(
            messages
                .GroupBy(entry => entry.Message.EventId)
                .Where(group => group.Count() > 1)
                .Select(group => $"{group.Key}: {string.Join(", ", group.Select(entry => entry.Method))}")
        );
    }
}
