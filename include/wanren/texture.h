// Texture and surface fetches: filled in by texture_fetch.h when the program asks for them.
#ifndef WANREN_TEXTURE_H
#define WANREN_TEXTURE_H
#endif
