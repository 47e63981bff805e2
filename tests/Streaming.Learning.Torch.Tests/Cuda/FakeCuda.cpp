// A stand-in for libcuda.so.1 and for NVRTC: answers as told, and writes down what it was asked. For tests of the calls, not of kernels.
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

namespace
{
std::map<std::string, int> answers;
std::string log, code, options;
int depth;

int answer(const char* name, int otherwise = 0)
{
    auto found = answers.find(name);
    return found == answers.end() ? otherwise : found->second;
}

void note(const std::string& line) { log += line + "\n"; }
}

extern "C"
{
void fake_reset()
{
    answers.clear();
    log.clear();
    depth = 0;
}
void fake_set(const char* name, int value) { answers[name] = value; }
const char* fake_log() { return log.c_str(); }
int fake_depth() { return depth; }

int cuInit(unsigned) { return answer("cuInit"); }
int cuDriverGetVersion(int* version) { *version = answer("version", 12080); return 0; }
int cuDeviceGet(int* device, int index) { *device = 40 + index; return answer("cuDeviceGet"); }
int cuDeviceGetAttribute(int* value, int attribute, int device)
{
    if (device < 40) return 101;
    *value = attribute == 16 ? 132 : attribute == 75 ? answer("major", 9) : attribute == 76 ? 0 : attribute == 97 ? 232448 : -1;
    return 0;
}
int cuDevicePrimaryCtxRetain(void** context, int device) { *context = (void*)(long)(1000 + device); note("retain"); return 0; }
int cuDevicePrimaryCtxRelease_v2(int) { note("release"); return 0; }
int cuCtxPushCurrent_v2(void* context) { depth += (long)context >= 1040 ? 1 : 100; return 0; }
int cuCtxPopCurrent_v2(void** context) { *context = nullptr; depth--; return 0; }
int cuModuleLoadData(void** module, const char* image)
{
    *module = (void*)7;
    note(std::string("load ") + image);
    return answer("cuModuleLoadData");
}
int cuModuleUnload(void*) { note("unload"); return 0; }
int cuModuleGetFunction(void** function, void* module, const char* name)
{
    *function = (void*)(module == (void*)7 ? (long)strlen(name) : 0L);
    note(std::string("function ") + name);
    return 0;
}
int cuFuncSetAttribute(void*, int attribute, int value) { note("attribute " + std::to_string(attribute) + " " + std::to_string(value)); return 0; }
int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, void* stream,
                   void** arguments, void** extra)
{
    char line[200];
    snprintf(line, sizeof line, "launch %ld (%u %u %u) (%u %u %u) %u %p %d %g %p depth %d", (long)function, gx, gy, gz, bx, by, bz, shared, stream,
             *(int*)arguments[0], *(double*)arguments[1], (void*)extra, depth);
    note(line);
    return answer("cuLaunchKernel");
}
int cuGetErrorName(int error, const char** name)
{
    *name = error == 100 ? "CUDA_ERROR_NO_DEVICE" : error == 222 ? "CUDA_ERROR_UNSUPPORTED_PTX_VERSION" : "CUDA_ERROR_INVALID_VALUE";
    return 0;
}

int nvrtcVersion(int* major, int* minor) { *major = 12; *minor = 8; return 0; }
int nvrtcCreateProgram(void** program, const char* source, const char* name, int, const char**, const char**)
{
    *program = (void*)9;
    code = std::string(name) + " of " + std::to_string(strlen(source)) + " characters";
    return 0;
}
int nvrtcCompileProgram(void*, int count, const char** given)
{
    options.clear();
    for (int i = 0; i < count; i++) options += std::string(" ") + given[i];
    note("compile" + options);
    return answer("nvrtcCompileProgram");
}
int nvrtcGetCUBINSize(void*, size_t* size) { *size = code.size() + 1; return 0; }
int nvrtcGetCUBIN(void*, char* to) { strcpy(to, code.c_str()); return 0; }
int nvrtcGetProgramLogSize(void*, size_t* size) { *size = strlen("Tower.cu(3): warning\nTower.cu(4): error: no") + 1; return 0; }
int nvrtcGetProgramLog(void*, char* to) { strcpy(to, "Tower.cu(3): warning\nTower.cu(4): error: no"); return 0; }
int nvrtcDestroyProgram(void** program) { *program = nullptr; note("destroy"); return 0; }
const char* nvrtcGetErrorString(int) { return "NVRTC_ERROR_COMPILATION"; }
}
