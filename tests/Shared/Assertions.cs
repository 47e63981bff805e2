using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using Xunit;

namespace Streaming.Tests;

/// <summary>
/// Finds out from the compiled code whether a test reaches an assertion: xunit's own, called by the test or by a method, lambda, async
/// body or iterator of this assembly that it calls. A name proves nothing.
/// </summary>
internal static class Assertions
{
    private const BindingFlags All =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(static field => (OpCode)field.GetValue(null)!)
        .ToDictionary(static code => code.Value);

    /// <summary>The tests of types: every method with an attribute of xunit's.</summary>
    public static IEnumerable<MethodInfo> TestsOf(IEnumerable<Type> types) =>
        types
            .SelectMany(static type => type.GetMethods(All))
            .Where(static method => method.GetCustomAttributes().Any(static attribute => attribute is Xunit.v3.IFactAttribute));

    /// <summary>Whether a call of a method can reach an assertion.</summary>
    public static bool IsReachedFrom(MethodBase method) => IsReachedFrom(method, []);

    private static bool IsReachedFrom(MethodBase method, HashSet<MethodBase> seen) =>
        IsAssertion(method)
        || (
            method.Module == typeof(Assertions).Module
            && seen.Add(method)
            && (Bodies(method).Any(body => Calls(body).Any(called => IsReachedFrom(called, seen))))
        );

    // To skip is not to assert.
    private static bool IsAssertion(MethodBase method) =>
        method.DeclaringType == typeof(Assert) && !method.Name.StartsWith("Skip", StringComparison.Ordinal);

    /// <summary>The code of a method: that of an async method or iterator is in its state machine, that of an abstract or virtual one
    /// in the types that override it.</summary>
    private static IEnumerable<MethodBase> Bodies(MethodBase method)
    {
        yield return method;
        if (method.GetCustomAttribute<StateMachineAttribute>() is { StateMachineType: var machine })
        {
            yield return machine.GetMethod("MoveNext", All)!;
        }

        if (method is MethodInfo { IsVirtual: true } virtualMethod)
        {
            foreach (
                MethodInfo over in virtualMethod
                    .Module.GetTypes()
                    .SelectMany(static type => type.GetMethods(All))
                    .Where(over => over != method && over.IsVirtual && over.GetBaseDefinition() == virtualMethod.GetBaseDefinition())
            )
            {
                yield return over;
            }
        }
    }

    /// <summary>The methods that a method's code names: to call them, to construct, or to make a delegate.</summary>
    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        byte[] code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (int at = 0; at < code.Length; )
        {
            short value = code[at++];
            OpCode operation = OpCodes[value == 0xFE ? unchecked((short)(0xFE00 | code[at++])) : value];
            if (operation.OperandType == OperandType.InlineMethod)
            {
                yield return Definition(method, BitConverter.ToInt32(code, at));
            }

            at += OperandLength(operation.OperandType, code, at);
        }
    }

    private static int OperandLength(OperandType type, byte[] code, int at) =>
        type switch
        {
            OperandType.InlineNone => 0,
            OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
            OperandType.InlineVar => 2,
            OperandType.InlineI8 or OperandType.InlineR => 8,
            OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
            _ => 4,
        };

    /// <summary>The method behind a token; of a generic one its definition.</summary>
    private static MethodBase Definition(MethodBase context, int token)
    {
        MethodBase called = context.Module.ResolveMethod(
            token,
            context.DeclaringType?.GetGenericArguments(),
            context.IsGenericMethod ? context.GetGenericArguments() : null
        )!;
        return called.Module == context.Module ? called.Module.ResolveMethod(called.MetadataToken)! : called;
    }
}
